package main

import "time"

// The thresholds that stand in the documentation of Flagger, and the share by which p99 may exceed stable's.
const (
	leastSuccess = 0.99
	mostSlowdown = 1.5
)

// healthyWindow is the check that Flagger and Argo make of the last minute: an absolute threshold on the canary's success rate,
// and its p99 against stable's. No values fail the check, as they do with both tools.
func healthyWindow(v *view) bool {
	rate, some := v.window[canary].errorRate()
	if !some || 1-rate < leastSuccess {
		return false
	}
	mine, some := v.window[canary].quantile(0.99)
	if !some {
		return false
	}
	theirs, known := v.window[stable].quantile(0.99)
	return !known || mine <= mostSlowdown*theirs
}

// flagger counts failed checks over the whole analysis; a good one does not take a bad one back.
type flagger struct {
	threshold int
	failed    int
}

func newFlagger(threshold int) *flagger { return &flagger{threshold: threshold} }

func (f *flagger) look(v *view) (time.Duration, bool) {
	if !healthyWindow(v) {
		f.failed++
	}
	return v.tick.at, f.failed >= f.threshold
}

// argo fails an analysis when more measurements have failed than the limit says.
type argo struct {
	limit  int
	failed int
}

func newArgo(limit int) *argo { return &argo{limit: limit} }

func (a *argo) look(v *view) (time.Duration, bool) {
	if !healthyWindow(v) {
		a.failed++
	}
	return v.tick.at, a.failed > a.limit
}
