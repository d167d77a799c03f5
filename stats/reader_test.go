package stats

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// ok and bad are requests of a revision.
func okay(revision uint64) Record {
	return Record{Outcome: OutcomeOK, Status: 200, Lane: Judged(1, revision)}
}

func bad(revision uint64) Record {
	return Record{Outcome: OutcomeReset, Lane: Judged(1, revision)}
}

// times ends a request several times, on several shards.
func times(n uint64, v *Variant, rec Record) {
	for i := range n {
		v.Begin(i).End(rec)
	}
}

// expect compares the next delta of stratum 1.
func expect(t *testing.T, r *Reader, canary, stable Counts) {
	t.Helper()
	gotCanary, gotStable := r.Delta(1)
	if gotCanary != canary || gotStable != stable {
		t.Errorf("revision %d: canary %+v stable %+v, want %+v %+v", r.Revision(), gotCanary, gotStable, canary, stable)
	}
}

func TestReaderDeltas(t *testing.T) {
	s := NewRegistry(2).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(1, canary, stable)
	expect(t, r, Counts{}, Counts{})
	times(3, canary, bad(1))
	times(50, stable, okay(1))
	expect(t, r, Counts{Bad: 3}, Counts{Good: 50})
	expect(t, r, Counts{}, Counts{})
	times(1, canary, okay(1))
	times(9, stable, Record{Outcome: OutcomeOK, Status: 200, Lane: Unjudged})
	times(9, stable, Record{Outcome: OutcomeClientGone, Lane: Judged(1, 1)})
	times(9, stable, Record{Outcome: OutcomeOK, Status: 200, Lane: Judged(2, 1)})
	expect(t, r, Counts{Good: 1}, Counts{})
	if _, c := r.Delta(2); c != (Counts{Good: 9}) {
		t.Errorf("stratum 2: %+v, want 9 good", c)
	}
	for _, stratum := range []int{-1, 0, Strata + 1} {
		if c, s := r.Delta(stratum); c != (Counts{}) || s != (Counts{}) {
			t.Errorf("stratum %d does not exist: %+v %+v", stratum, c, s)
		}
	}
}

// A request that ends after its revision is counted for Prometheus and never judged: not by the next revision, and not by the
// one after that, which has the lane of the same parity.
func TestLateRequestsAreNeverPooled(t *testing.T) {
	s := NewRegistry(2).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	times(5, canary, bad(6)) // before anybody judged: the baseline of revision 6
	for revision := uint64(6); revision < 12; revision++ {
		r := s.Reader(revision, canary, stable)
		expect(t, r, Counts{}, Counts{})
		for late := uint64(0); late < 15; late++ {
			if late != revision {
				times(4, canary, bad(late))
				times(4, stable, okay(late))
			}
		}
		expect(t, r, Counts{}, Counts{})
		times(2, canary, bad(revision))
		times(3, stable, okay(revision))
		expect(t, r, Counts{Bad: 2}, Counts{Good: 3})
	}
	if got, want := canary.Totals().Requests, uint64(5+6*(14*4+2)); got != want {
		t.Errorf("%d canary requests in total, want %d: the late ones count there", got, want)
	}
	s.StopJudging()
	before := canary.Counts(1, 11)
	times(4, canary, bad(11))
	if after := canary.Counts(1, 11); after != before {
		t.Errorf("%+v was judged after the end", after)
	}
	if late := canary.Totals().Outcomes[OutcomeReset]; late != 5+6*(14*4+2)+4 {
		t.Errorf("%d resets in total", late)
	}
}

// While requests of all ages end, the deltas of each revision add up to what was recorded under it while its Reader was open.
func TestReaderConcurrent(t *testing.T) {
	const revisions, writers, each = 20, 4, 500
	s := NewRegistry(4).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	for revision := uint64(1); revision <= revisions; revision++ {
		r := s.Reader(revision, canary, stable)
		var wg sync.WaitGroup
		for w := range uint64(writers) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(revision, w))
				for range each {
					canary.Begin(w).End(bad(revision))
					stable.Begin(w).End(okay(revision))
					canary.Begin(w).End(bad(rng.Uint64N(revision))) // late
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		var sumCanary, sumStable Counts
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			c, s := r.Delta(1)
			sumCanary, sumStable = sumCanary.plus(c), sumStable.plus(s)
		}
		if sumCanary != (Counts{Bad: writers * each}) || sumStable != (Counts{Good: writers * each}) {
			t.Fatalf("revision %d: canary %+v stable %+v", revision, sumCanary, sumStable)
		}
	}
}

// Revisions may be anything, and may start again from one.
func TestLaneKeepsTheRevision(t *testing.T) {
	s := NewRegistry(1).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	for _, revision := range []uint64{0, 1, 1<<(eventShift-slotBits) - 1, 1 << 40, 3} {
		r := s.Reader(revision, canary, stable)
		times(2, canary, okay(revision))
		expect(t, r, Counts{Good: 2}, Counts{})
	}
	if Judged(0, 5) != Unjudged || Judged(-1, 5) != Unjudged || Judged(Strata+1, 5) != Unjudged {
		t.Error("a stratum that does not exist was judged")
	}
}
