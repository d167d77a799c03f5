// Package notify tells people what happens to their rollouts: in Slack, in Microsoft Teams, by a webhook of their own, through
// an Alertmanager.
//
// It owns the sentences, who gets which of them, and the way to each target: a bounded queue in which the events of one
// rollout become one message, retries, a time limit. It does not own the events (rollout) or what the targets are
// (config), and it decides nothing: a target that hangs delays neither another target nor a rollout, because all that the
// rollouts know of this package is a subscription that never blocks them. What a subscription loses is read from the views.
//
// Concurrency: Run owns every goroutine, one for each target and one that follows the rollouts. Use, Reloaded and Numbers may
// be called by all, before and while Run runs.
package notify
