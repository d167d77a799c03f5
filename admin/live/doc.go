// Package live measures the traffic of a service by the second, for those who look at it.
//
// It owns the difference between two looks at the counters of a variant, quantiles of the latest latencies, and a bounded memory of
// both. It does not own the counters (stats), nor who looks and how it reaches them (admin). It has no clock: moments are arguments.
//
// Concurrency: nothing here is for concurrent use, and nothing starts a goroutine. The counters that are read may be written meanwhile.
package live
