package main

import (
	"context"
	"fmt"
	"time"
)

// ladders are whole rollouts.
func ladders() []ladder {
	base := func(errors float64) behaviour { return behaviour{errors: errors} }
	kinds := []ladder{
		{scenario: scenario{name: "healthy, 0.1 % errors", sides: both(0.001)}, least: 0.98},
		{scenario: scenario{name: "healthy, 0.5 % errors", sides: both(0.005)}, least: 0.98},
		{scenario: scenario{name: "healthy, " + ramp.String() + " over an hour", sides: both(0.001), weather: ramp}, least: 0.98},
		{scenario: scenario{name: "errors 0.1 -> 0.3 %", sides: [sides]behaviour{base(0.001), base(0.003)}}, never: "B"},
		{scenario: scenario{name: "errors 0.1 -> 0.5 %", sides: [sides]behaviour{base(0.001), base(0.005)}}},
		{scenario: scenario{name: "errors 0.1 -> 1 %", sides: [sides]behaviour{base(0.001), base(0.01)}}, never: "A"},
		{scenario: scenario{name: "errors 1 -> 5 %", sides: [sides]behaviour{base(0.01), base(0.05)}}, never: "A"},
		{scenario: scenario{name: "errors 0 -> 100 %", sides: [sides]behaviour{base(0), base(1)}}, never: "A"},
	}
	for i, f := range latencyFaults() {
		l := ladder{scenario: scenario{name: f.name, sides: f.sides}, never: "A"}
		if i == 0 || i == 2 { // the small ones
			l.never = "B"
		}
		kinds = append(kinds, l)
	}
	var list []ladder
	for _, rate := range []float64{10, 100, 1000} {
		for _, k := range kinds {
			k.name = fmt.Sprintf("%s, %g/s", k.name, rate)
			k.rate = rate
			k.quick = rate == 100 && (k.name == "errors 0.1 -> 1 %, 100/s" || k.name == "healthy, 0.1 % errors, 100/s")
			if rate < 100 { // what can be known at 10 requests a second is little: shown, and nothing asked
				k.least, k.never = 0, ""
			}
			list = append(list, k)
		}
	}
	return list
}

// ladderRow is a whole rollout under every policy.
type ladderRow struct {
	Name  string       `json:"scenario"`
	Cells []ladderCell `json:"policies"`

	ladder ladder
}

// ladderCell is one policy.
type ladderCell struct {
	Policy     string  `json:"policy"`
	Runs       int     `json:"runs"`
	Promoted   int     `json:"promoted"`
	RolledBack int     `json:"rolled_back"`
	Held       int     `json:"held"`
	Seconds    float64 `json:"median_seconds"`
	Failed     float64 `json:"median_failed_canary_requests"`
}

func (j *job) playLadders(ctx context.Context, list []ladder, runs int) []ladderRow {
	var rows []ladderRow
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		row := j.playLadder(ctx, &list[i], runs)
		if ctx.Err() != nil {
			break
		}
		rows = append(rows, row)
		j.played(i+1, len(list), "whole rollout: "+list[i].name, float64(runs*ladderEffort))
	}
	return rows
}

func (j *job) playLadder(ctx context.Context, l *ladder, runs int) ladderRow {
	l.length = time.Hour
	law := prepare(l.scenario)
	row := ladderRow{Name: l.name, ladder: *l}
	for _, c := range conductors() {
		ends := make([]ladderEnd, runs)
		if c.slow {
			ends = ends[:(runs+3)/4]
		}
		j.spread(ctx, len(ends), func(n int) { ends[n] = l.play(law, newDice(j.seed, l.name, n), c) })
		row.Cells = append(row.Cells, countEnds(c.name, ends))
	}
	return row
}

func countEnds(name string, ends []ladderEnd) ladderCell {
	c := ladderCell{Policy: name, Runs: len(ends)}
	for _, e := range ends {
		switch e.End {
		case promoted:
			c.Promoted++
		case rolledBack:
			c.RolledBack++
		default:
			c.Held++
		}
	}
	c.Seconds = middle(ends, 0.5, func(e ladderEnd) float64 { return e.At.Seconds() })
	c.Failed = middle(ends, 0.5, func(e ladderEnd) float64 { return float64(e.Failed) })
	return c
}
