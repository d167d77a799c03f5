package upstream

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever limits follow each other, the one that is set is never early, and late by no more than it may be.
func TestEndIsNeverEarly(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var e end
	var set time.Time // what the connection has
	now := time.Now()
	moves := 0
	for range 10_000 {
		now = now.Add(time.Duration(dice.IntN(int(time.Second))))
		limit := []time.Duration{0, 10 * time.Second, 10 * time.Second, time.Minute}[dice.IntN(4)]
		var deadline time.Time
		if dice.IntN(4) == 0 {
			deadline = now.Add(time.Duration(dice.IntN(int(30 * time.Second))))
		}
		if dice.IntN(100) == 0 {
			e.forget()
			set = now.Add(-time.Hour)
		}
		at, slack := endOf(deadline, now, limit)
		if e.move(at, slack) {
			set, moves = e.time, moves+1
		}
		want := deadline
		if limit > 0 {
			want = earlier(deadline, now.Add(limit))
		}
		late := set.Sub(want)
		switch {
		case want.IsZero() != set.IsZero():
			t.Fatalf("set %v, wanted %v", set, want)
		case want.IsZero():
		case late < 0 || late > limit/16 || late > 0 && !deadline.IsZero() && set.After(deadline):
			t.Fatalf("limit %v, deadline in %v: set %v late", limit, deadline.Sub(now), late)
		}
	}
	if moves > 9_900 {
		t.Errorf("%d of 10000 were set: nothing is saved", moves)
	}
}

// The same limit again and again is set once for each sixteenth of it.
func TestEndIsSetSeldom(t *testing.T) {
	var e end
	now, moves := time.Now(), 0
	for range 1600 {
		now = now.Add(time.Millisecond)
		if e.move(endOf(time.Time{}, now, 1600*time.Millisecond)) {
			moves++
		}
	}
	if moves < 10 || moves > 17 {
		t.Errorf("set %d times, not 16", moves)
	}
}
