package main

import (
	"fmt"
	"time"
)

// progress is how far the benchmark is.
type progress struct {
	began     time.Time
	done, all float64 // effort
}

// begin sums up what there is to do.
func (j *job) begin(scenarios []scenario, climbs []ladder, rollouts int) {
	j.began = time.Now()
	for i := range scenarios {
		j.all += j.effort(&scenarios[i])
	}
	j.all += float64(len(climbs) * rollouts * ladderEffort)
}

// ladderEffort is the effort of one rollout under all policies.
const ladderEffort = 3

// effort guesses what a scenario takes, in healthy hours of little traffic: more traffic takes longer, and a harmful canary is
// found long before the hour is over, most often.
func (j *job) effort(s *scenario) float64 {
	e := float64(j.count(s)) * s.duration().Hours() * (1 + s.rate/400)
	if s.group.harmful() {
		e /= 5
	}
	return e
}

// played reports number n of a list, and guesses how long the rest takes.
func (j *job) played(n, of int, name string, effort float64) {
	j.done += effort
	spent := time.Since(j.began)
	left := time.Duration(float64(spent) * max(0, j.all/j.done-1))
	fmt.Fprintf(j.notes, "%4d/%d %7v, %7v left  %s\n", n, of, spent.Round(time.Second), left.Round(time.Second), name)
}
