// Package hooks asks the webhooks of rollouts, and tells them.
//
// It owns who is asked (the hooks of a configuration, with what their files hold), the question as JSON, attempts and their
// repetition, and the way of an answer back. It does not own what is to be asked now and what an answer means: that is
// rollout, which hands out its questions as values and takes answers as values, so that one that came too late counts for
// nothing. A hook that hangs keeps nobody waiting but its own next question.
//
// Concurrency: Run owns every goroutine, one for each question on its way. Use and Numbers may be called by all, before and while
// Run runs.
package hooks
