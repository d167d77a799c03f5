//go:build !race

package main

import (
	"context"
	"io"
	"testing"
	"time"
)

// Healthy releases are rolled back with a chance of at most alpha. This is what continuous integration looks at; the seeds are
// fixed, so that it never fails by chance. A judge that is wrong in one of twenty rollouts fails it.
func TestCalibration(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	const runs = 100
	all, of := make([]int, 2), 0
	// At the very edge, with enough errors that a judge without its tolerance would find them.
	edge := scenario{name: "edge", sides: [sides]behaviour{{errors: 0.05}, {errors: 0.056, slow: 1.05}}}.at(200, 0.5)
	for _, s := range []scenario{
		edge,
		find(t, "same, 0.5 % errors, 100/s, weight 10 %"),
		find(t, "drift: incident (3 min, 20 % errors, latency x4), 100/s, weight 10 %"),
		find(t, "ladder 1-5-10-25-50 %: ramp (latency x3, errors x10), 100/s"),
	} {
		s.length = 6 * time.Minute
		for i := range s.weights { // the whole ladder within the shorter time
			s.weights[i].from /= 10
		}
		j := job{seed: 20261121, runs: runs, workers: 2, notes: io.Discard}
		l := prepare(s)
		wrong := make([]int, 2)
		outcomes := make([][]outcome, runs)
		j.spread(context.Background(), runs, func(n int) { outcomes[n] = l.play(newDice(j.seed, s.name, n), contestants()[:2]) })
		for _, o := range outcomes {
			for i := range o {
				if o[i].Decided {
					wrong[i]++
				}
			}
		}
		t.Logf("%s: %v of %d rolled back", s.name, wrong, runs)
		of += runs
		for i, n := range wrong {
			all[i] += n
			if limit := believable(runs, 0.01, 0.001); n > limit {
				t.Errorf("%s: %s rolled back %d of %d healthy releases; chance explains %d", s.name, contestants()[i].name, n, runs, limit)
			}
		}
	}
	for i, n := range all {
		if limit := believable(of, 0.01, 0.001); n > limit {
			t.Errorf("%s rolled back %d of %d healthy releases; chance explains %d", contestants()[i].name, n, of, limit)
		}
	}
}
