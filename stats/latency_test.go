package stats

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answered is a judged success that took so many microseconds.
func answered(revision, micros uint64) Record {
	return Record{
		Outcome: OutcomeOK, Status: 200, FirstByte: time.Duration(micros) * time.Microsecond, Lane: Judged(1, revision),
	}
}

func TestReaderLatency(t *testing.T) {
	s := NewRegistry(2).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	times(7, canary, answered(1, 40)) // before anybody judged
	r := s.Reader(1, canary, stable)
	expect := func(stratum int, wantCanary, wantStable []Bucket) {
		t.Helper()
		c, s := r.Latency(stratum, nil, nil)
		if diff := cmp.Diff(wantCanary, c); diff != "" {
			t.Errorf("canary (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantStable, s); diff != "" {
			t.Errorf("stable (-want +got):\n%s", diff)
		}
	}
	expect(1, nil, nil)
	times(3, canary, answered(1, 5000))
	times(2, canary, answered(1, 40))
	times(9, stable, answered(1, 1<<40)) // beyond the last bucket
	// None of these is the latency of a judged success.
	times(5, canary, Record{Outcome: OutcomeServerError, Status: 500, FirstByte: time.Millisecond, Lane: Judged(1, 1)})
	times(5, canary, Record{Outcome: OutcomeClientGone, Status: 200, FirstByte: time.Millisecond, Lane: Judged(1, 1)})
	times(5, canary, Record{Outcome: OutcomeOK, Status: 200, FirstByte: time.Millisecond, Lane: Unjudged})
	times(5, canary, answered(2, 1000))
	expect(1, []Bucket{{40, 2}, {BucketIndex(5000), 3}}, []Bucket{{Buckets - 1, 9}})
	expect(1, nil, nil)
	expect(2, nil, nil)
	expect(0, nil, nil)
	expect(Strata+1, nil, nil)
	times(1, canary, answered(1, 40))
	expect(1, []Bucket{{40, 1}}, nil)
	r = s.Reader(3, canary, stable) // the same lane
	expect(1, nil, nil)
	times(4, stable, answered(3, 300))
	expect(1, nil, []Bucket{{BucketIndex(300), 4}})
}

// What is told while requests end adds up to a histogram of what was recorded, and so does what Delta tells.
func TestReaderLatencyConcurrent(t *testing.T) {
	const writers, each = 4, 2000
	s := NewRegistry(4).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(9, canary, stable)
	var want Histogram
	var wg sync.WaitGroup
	for w := range uint64(writers) {
		rng := rand.New(rand.NewPCG(3, w))
		var list []uint64
		for range each {
			list = append(list, rng.Uint64N(1<<(1+rng.UintN(30))))
			want.Observe(time.Duration(list[len(list)-1]) * time.Microsecond)
		}
		wg.Go(func() {
			for _, micros := range list {
				canary.Begin(w).End(answered(9, micros))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var got [Buckets]uint64
	var buffer []Bucket
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		var none []Bucket
		buffer, none = r.Latency(1, buffer[:0], nil)
		if len(none) != 0 {
			t.Fatalf("stable had no requests: %v", none)
		}
		if !slices.IsSortedFunc(buffer, func(a, b Bucket) int { return a.Index - b.Index }) {
			t.Fatalf("not sorted: %v", buffer)
		}
		for _, b := range buffer {
			got[b.Index] += b.Count
		}
	}
	if diff := cmp.Diff(want.counts, got); diff != "" {
		t.Errorf("latencies (-recorded +told):\n%s", diff)
	}
	if c, _ := r.Delta(1); c != (Counts{Good: writers * each}) {
		t.Errorf("Delta told %+v", c)
	}
}
