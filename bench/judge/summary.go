package main

import (
	"cmp"
	"slices"
	"time"
)

// row is a scenario with what every rule did in it.
type row struct {
	Name  string        `json:"scenario"`
	Group string        `json:"group"`
	Hours time.Duration `json:"length_ns"`
	Cells []cell        `json:"rules"`

	scenario scenario
}

// cell is one rule in one scenario. Medians are of the runs in which it rolled back.
type cell struct {
	Rule       string  `json:"rule"`
	Runs       int     `json:"runs"`
	RolledBack int     `json:"rolled_back"`
	Early      int     `json:"rolled_back_before_the_fault"`
	Rate       float64 `json:"rate"`
	Low        float64 `json:"rate_low"`
	High       float64 `json:"rate_high"`
	Over       int     `json:"runs_above_the_goal"`
	Seconds    float64 `json:"median_seconds"`
	Requests   float64 `json:"median_canary_requests"`
	Failed     float64 `json:"median_failed_canary_requests"`
	Delay      float64 `json:"median_seconds_from_first_failure"`
	DelayMost  float64 `json:"p99_seconds_from_first_failure"`
}

// summarise makes a row of the outcomes of all runs: by run, then by rule. A rule that did not play a run is not counted.
func summarise(s scenario, rules []contestant, runs [][]outcome) row {
	r := row{Name: s.name, Group: s.group.title(), Hours: s.duration(), scenario: s}
	for i := range rules {
		c := cell{Rule: rules[i].name}
		var decided []outcome
		for _, run := range runs {
			if i >= len(run) {
				continue
			}
			c.Runs++
			switch {
			case run[i].Decided && run[i].Early && s.group.harmful():
				c.Early++
			case run[i].Decided:
				decided = append(decided, run[i])
			}
		}
		c.fill(decided)
		for _, o := range decided {
			if s.goal.requests > 0 && float64(o.Sent) > s.goal.requests {
				c.Over++
			}
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

func (c *cell) fill(decided []outcome) {
	c.RolledBack = len(decided)
	c.Low, c.High = interval(c.RolledBack, c.Runs)
	if c.Runs > 0 {
		c.Rate = float64(c.RolledBack) / float64(c.Runs)
	}
	c.Seconds = middle(decided, 0.5, func(o outcome) float64 { return o.At.Seconds() })
	c.Requests = middle(decided, 0.5, func(o outcome) float64 { return float64(o.Sent) })
	c.Failed = middle(decided, 0.5, func(o outcome) float64 { return float64(o.Failed) })
	c.Delay = middle(decided, 0.5, func(o outcome) float64 { return o.Delay.Seconds() })
	c.DelayMost = middle(decided, 0.99, func(o outcome) float64 { return o.Delay.Seconds() })
}

// middle is a quantile of one number of the outcomes; 0 without any.
func middle[T any](list []T, p float64, of func(T) float64) float64 {
	if len(list) == 0 {
		return 0
	}
	values := make([]float64, len(list))
	for i, o := range list {
		values[i] = of(o)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	return values[min(len(values)-1, int(p*float64(len(values))))]
}
