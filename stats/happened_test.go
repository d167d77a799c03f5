package stats

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// recount counts the events of one side and stratum by looking at every request again.
func recount(records []Record) EventCounts {
	var c EventCounts
	for _, rec := range records {
		for i := range c {
			switch {
			case rec.Lane.events().Has(i + 1):
				c[i].Bad++
			case rec.Outcome != OutcomeClientGone:
				c[i].Good++
			}
		}
	}
	return c
}

// randomEvent is a request as the proxy classifies it: mostly plain, sometimes with events.
func randomEvent(rng *rand.Rand, k *Kinds, revision uint64) Record {
	rec := Record{Status: 200, Lane: Judged(rng.IntN(Strata+2), revision)}
	ended := OutcomeOK
	switch rng.IntN(4) {
	case 0:
		rec.Status = 100 + rng.IntN(520)
	case 1:
		all := Outcomes()
		ended = all[rng.IntN(len(all))]
		rec.Status = []int{0, 200, 429}[rng.IntN(3)]
	}
	outcome, events := k.Classify(ended, rec.Status)
	rec.Outcome, rec.Lane = outcome, rec.Lane.With(events)
	return rec
}

// Events and Delta against a recount of every request, over changes of revision and of rules, with some requests that come
// late.
func TestEventsAgainstRecount(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	s := NewRegistry(4).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	for revision := uint64(1); revision < 60; revision++ {
		s.SetKinds(NewKinds(randomKinds(rng)))
		r := s.Reader(revision, canary, stable)
		for range 1 + rng.IntN(4) {
			var seen [Strata + 2][2][]Record
			for range rng.IntN(200) {
				rec, side := randomEvent(rng, s.Kinds(), revision), rng.IntN(2)
				stratum := int(rec.Lane&slotMask+1) / 2
				if rng.IntN(10) == 0 { // drawn under another revision
					rec.Lane = Judged(stratum, revision-uint64(rng.IntN(3))-1).With(rec.Lane.events())
				} else {
					seen[stratum][side] = append(seen[stratum][side], rec)
				}
				[]*Variant{canary, stable}[side].Begin(rng.Uint64()).End(rec)
			}
			for stratum := -1; stratum < Strata+2; stratum++ {
				gotCanary, gotStable := r.Events(stratum)
				var want [2]EventCounts
				if stratum >= 1 && stratum <= Strata {
					want = [2]EventCounts{recount(seen[stratum][0]), recount(seen[stratum][1])}
				}
				if got := [2]EventCounts{gotCanary, gotStable}; got != want {
					t.Fatalf("revision %d stratum %d:\n%+v, want\n%+v", revision, stratum, got, want)
				}
			}
		}
	}
}

// Readers that look while requests end see each of them once, and no number that was ever too large or fell.
func TestEventsWhileRequestsEnd(t *testing.T) {
	const writers, each = 8, 4000
	s := NewRegistry(4).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	s.SetKinds(NewKinds([]StatusRange{{429, 429}, {500, 599}}, []Kind{
		{Statuses: []StatusRange{{429, 429}}}, {Outcomes: []Outcome{OutcomeClientGone, OutcomeTimeout}}, {Statuses: []StatusRange{{200, 599}}},
	}))
	r := s.Reader(1, canary, stable)
	var mu sync.Mutex
	var all []Record
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(35, uint64(w)))
			var mine []Record
			for range each {
				rec := randomEvent(rng, s.Kinds(), 1)
				canary.Begin(rng.Uint64()).End(rec)
				if int(rec.Lane&slotMask+1)/2 == 1 {
					mine = append(mine, rec)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var sum EventCounts
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		got, _ := r.Events(1)
		for i := range got {
			if got[i].Bad > writers*each || got[i].Good > writers*each {
				t.Fatalf("event %d: %+v", i+1, got[i])
			}
			sum[i] = sum[i].plus(got[i])
		}
	}
	if want := recount(all); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
}
