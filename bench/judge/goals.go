package main

import "fmt"

// chanceOfAlarm is how unlikely a count must be before a goal of a rate counts as missed.
const chanceOfAlarm = 0.01

// dense is the canary requests per second from which the time to a rollback is up to the judge in every run; below it chance
// decides when the next failure comes, and a median is all that can be asked.
const dense = 20

// missed says which goals Haldane missed in a scenario.
func (r *row) missed() []string {
	var list []string
	c, g := &r.Cells[0], &r.scenario.goal
	note := func(format string, args ...any) {
		list = append(list, fmt.Sprintf("%s: ", r.Name)+fmt.Sprintf(format, args...))
	}
	if g.falseRate > 0 {
		for i := range r.Cells[:2] {
			if o := &r.Cells[i]; o.RolledBack > believable(o.Runs, g.falseRate, chanceOfAlarm) {
				note("%s rolled back %d of %d, at most %d are chance",
					o.Rule, o.RolledBack, o.Runs, believable(o.Runs, g.falseRate, chanceOfAlarm))
			}
		}
	}
	if lost := c.Runs - c.RolledBack; g.power > 0 && lost > believable(c.Runs, 1-g.power, chanceOfAlarm) {
		note("found %d of %d", c.RolledBack, c.Runs)
	}
	if g.requests > 0 && c.Over > believable(c.RolledBack, 0.5, chanceOfAlarm) { // the median is above it, and not by chance
		note("needs %.0f canary requests, at most %.0f were asked", c.Requests, g.requests)
	}
	if g.delay > 0 {
		took, of := c.Delay, "half of the runs"
		if r.scenario.rate*r.scenario.weights[0].weight >= dense {
			took, of = c.DelayMost, "99 of 100 runs"
		}
		if took > g.delay.Seconds() {
			note("takes %.2f s from the first failure (%s), at most %v were asked", took, of, g.delay)
		}
	}
	return list
}

// missed says which goals Haldane missed in whole rollouts.
func (r *ladderRow) missed() []string {
	var list []string
	for _, c := range r.Cells {
		if c.Policy == "A" && float64(c.Promoted) < r.ladder.least*float64(c.Runs) {
			list = append(list, fmt.Sprintf("%s: policy A promoted %d of %d, at least %.0f %% were asked",
				r.Name, c.Promoted, c.Runs, 100*r.ladder.least))
		}
		asked := r.ladder.never != "" && (c.Policy == "B" || c.Policy == r.ladder.never)
		if asked && c.Promoted > 0 {
			list = append(list, fmt.Sprintf("%s: policy %s promoted %d of %d, none was asked", r.Name, c.Policy, c.Promoted, c.Runs))
		}
	}
	return list
}

// allMissed is every goal that was missed.
func allMissed(rows []row, climbs []ladderRow) []string {
	var list []string
	for i := range rows {
		list = append(list, rows[i].missed()...)
	}
	for i := range climbs {
		list = append(list, climbs[i].missed()...)
	}
	return list
}
