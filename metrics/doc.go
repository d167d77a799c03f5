// Package metrics asks a Prometheus for business metrics and hands the answers to the rollouts that want them.
//
// It owns the questions' way over the network: when one is due, its placeholders, the requests with their limits, what counts as an
// answer, and the counters from which differences are taken. It does not own what is asked (config), what follows from it (analysis), or
// whether a rollout goes on (rollout). Whatever goes wrong is an answer too: one that says why there are no numbers.
//
// Concurrency: an Asker may be used by all. Run starts a goroutine for each question that is due, a few at a time, and waits for them
// before it returns.
package metrics
