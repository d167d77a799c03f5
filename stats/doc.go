// Package stats keeps what happened: per service and variant the requests by outcome, status class and method, bytes,
// requests in flight and a latency histogram, and on top of these the two things that are counted while a rollout runs, the
// votes of sticky users and the budget. It also shows all of it to Prometheus.
//
// It owns the cells and the identity of services and variants: the cells belong to the names, not to a routing table,
// so a reload swaps tables without moving evidence. It does not decide anything (no verdict, no window, no clock) and
// does not know what a request looks like.
//
// Concurrency: recording (Begin, End, Vote and what charges a Purse) is lock-free, allocates nothing once warm, and may be called from
// any number of goroutines. Reading may go on at the same time and sees every finished End; numbers that were read one
// after the other may be apart by the requests that finished in between. Get-or-create and Keep take a mutex and are
// not for the request path. The package starts no goroutine.
package stats
