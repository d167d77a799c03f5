package stats

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// randomRanges are ranges of statuses, some of them outside of what there is.
func randomRanges(rng *rand.Rand) []StatusRange {
	var list []StatusRange
	for range rng.IntN(4) {
		low := 50 + rng.IntN(600)
		list = append(list, StatusRange{low, low + rng.IntN(120) - 5})
	}
	return list
}

// randomKinds are rules as a configuration may ask for them.
func randomKinds(rng *rand.Rand) ([]StatusRange, []Kind) {
	events := make([]Kind, rng.IntN(MaxEvents+1))
	for i := range events {
		events[i].Statuses = randomRanges(rng)
		for _, o := range Outcomes() {
			if rng.IntN(3) == 0 && o != OutcomeOK && o != OutcomeServerError && o != OutcomeStatus {
				events[i].Outcomes = append(events[i].Outcomes, o)
			}
		}
		events[i].Stalled = rng.IntN(2) == 0
	}
	return randomRanges(rng), events
}

// dumbKinds classifies by looking through the lists.
type dumbKinds struct {
	failed []StatusRange
	events []Kind
}

func anyHas(list []StatusRange, status int) bool {
	return slices.ContainsFunc(list, func(r StatusRange) bool { return r.Low <= status && status <= r.High })
}

func (d *dumbKinds) classify(ended Outcome, status int) (Outcome, Events) {
	answered := status >= 100 && ended != OutcomeClientGone && ended != OutcomeConnect && ended != OutcomeRefused
	if status > 599 {
		status = 500
	}
	var events Events
	for i, kind := range d.events {
		if answered && anyHas(kind.Statuses, status) || slices.Contains(kind.Outcomes, ended) {
			events |= Event(i + 1)
		}
	}
	switch {
	case ended != OutcomeOK || !answered || !anyHas(d.failed, status):
		return ended, events
	case status >= 500:
		return OutcomeServerError, events
	}
	return OutcomeStatus, events
}

func TestKindsAgainstLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for range 200 {
		var dumb dumbKinds
		dumb.failed, dumb.events = randomKinds(rng)
		kinds := NewKinds(dumb.failed, dumb.events)
		for _, ended := range Outcomes() {
			for status := range 1000 {
				gotOutcome, gotEvents := kinds.Classify(ended, status)
				if outcome, events := dumb.classify(ended, status); outcome != gotOutcome || events != gotEvents {
					t.Fatalf("%s with status %d under %+v: %s %b, want %s %b", ended, status, dumb, gotOutcome, gotEvents, outcome, events)
				}
			}
		}
		for i, kind := range dumb.events {
			if kinds.Stalled().Has(i+1) != kind.Stalled {
				t.Fatalf("event %d of %+v: stalled %b", i+1, dumb, kinds.Stalled())
			}
		}
	}
}

// Without rules 5xx counts as failed, and nothing else happens. The rule that says the same is the same.
func TestDefaultKinds(t *testing.T) {
	var none *Kinds
	written := NewKinds([]StatusRange{{500, 599}}, nil)
	for _, ended := range Outcomes() {
		for status := range 1000 {
			want := ended
			if ended == OutcomeOK && status >= 500 {
				want = OutcomeServerError
			}
			for _, k := range []*Kinds{none, written} {
				if outcome, events := k.Classify(ended, status); outcome != want || events != 0 {
					t.Fatalf("%s with status %d: %s %b", ended, status, outcome, events)
				}
			}
		}
	}
	if none.Stalled() != 0 || written.Stalled() != 0 {
		t.Error("a stalled request has an event")
	}
}

// Rules that no configuration can ask for stay inside their arrays.
func TestKindsOutOfRange(t *testing.T) {
	k := NewKinds([]StatusRange{{-5, 1 << 40}, {9, 3}}, []Kind{5: {Statuses: []StatusRange{{100, 599}}, Outcomes: []Outcome{0, 99}}})
	if outcome, events := k.Classify(OutcomeOK, 200); outcome != OutcomeStatus || events != 0 {
		t.Errorf("%s %b", outcome, events)
	}
	if outcome, events := k.Classify(99, -7); outcome != 99 || events != 0 {
		t.Errorf("%s %b", outcome, events)
	}
	for _, n := range []int{-1, 0, MaxEvents + 1, 99} {
		if Event(n) != 0 || eventsMask.Has(n) {
			t.Errorf("there is an event %d", n)
		}
	}
}
