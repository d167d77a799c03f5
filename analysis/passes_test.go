package analysis

import "testing"

// unraced leaves a simulation of many rollouts to the pass without the race detector: each is one goroutine that plays numbers to a
// judge of its own, so there is nothing to race with, and it takes five times as long there.
func unraced(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("a simulation has nothing to race with")
	}
}
