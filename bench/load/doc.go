// Package load sends HTTP/1.1 requests over many connections and takes the time of each answer.
//
// Closed load: each connection sends its next request when it has its answer; that finds the capacity. Open load: requests
// are due at times drawn beforehand (a Poisson process), whatever became of those before, and latency counts from the time a
// request was due, not from when a free connection sent it. So a stall shows in every request that it delayed (no coordinated
// omission: G. Tene, "How NOT to Measure Latency", 2013).
//
// It owns its connections and its histogram. It does not own the processes that answer, nor what their figures mean.
//
// Concurrency: a Crowd lives on a loop and belongs to that loop's goroutine.
package load
