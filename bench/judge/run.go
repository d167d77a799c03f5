package main

import (
	"context"
	"io"
	"sync"
)

// job says how much is played.
type job struct {
	seed    uint64
	runs    int // of a scenario of up to 100 requests a second; a fifth of it above
	peers   int // runs in which all rules play; a quarter of it in harmful scenarios
	workers int
	notes   io.Writer
	progress
}

// open is the most runs of a harmful scenario nothing is asked of: it shows what is out of reach, and takes the whole hour.
const open = 200

// busy is the rate from which a scenario is played a fifth as often.
const busy = 500

func (j *job) count(s *scenario) int {
	n := j.runs
	if s.rate >= busy {
		n = max(1, n/5)
	}
	if s.runs > 0 {
		n = min(n, s.runs)
	}
	if s.group.harmful() && s.goal == (goal{}) {
		n = min(n, open)
	}
	return n
}

// playAll plays scenarios one after the other, the runs of one side by side.
func (j *job) playAll(ctx context.Context, list []scenario) []row {
	rows := make([]row, 0, len(list))
	for i, s := range list {
		if ctx.Err() != nil {
			break
		}
		r := j.play(ctx, s)
		if ctx.Err() != nil {
			break // half a row is none
		}
		rows = append(rows, r)
		j.played(i+1, len(list), s.name, j.effort(&s))
	}
	return rows
}

func (j *job) play(ctx context.Context, s scenario) row {
	rules := contestants()
	l := prepare(s)
	runs := make([][]outcome, j.count(&s))
	j.spread(ctx, len(runs), func(n int) {
		playing := rules
		switch harmful := s.group.harmful(); {
		case harmful && n >= (j.peers+3)/4:
			playing = rules[:1]
		case !harmful && n >= j.peers:
			playing = rules[:2]
		}
		runs[n] = l.play(newDice(j.seed, s.name, n), playing)
	})
	return summarise(s, rules, runs)
}

// spread calls a function for 0..n-1 on all workers.
func (j *job) spread(ctx context.Context, n int, play func(n int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range j.workers {
		wg.Go(func() {
			for i := range next {
				play(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
}
