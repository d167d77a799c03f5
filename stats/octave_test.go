package stats

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Narrow cells with wide ones behind them count like plain ones, at every moment.
func TestOctavesAgainstPlainCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	s := NewRegistry(8).Service("shop")
	v, other := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(4, v, other)
	var want, told Histogram
	for i := range 400_000 {
		// On both sides of the edge of an octave. Half fall into one bucket, which so is full again and again.
		micros := uint64(1014)
		if n := rng.Uint64N(40); n < 20 {
			micros += n
		}
		v.Begin(rng.Uint64N(8)).End(answered(4, micros))
		want.Observe(time.Duration(micros) * time.Microsecond)
		if i%10_000 != 0 {
			continue
		}
		list, _ := r.Latency(1, nil, nil)
		for _, b := range list {
			told.counts[b.Index] += b.Count
		}
		if diff := cmp.Diff(want.counts, told.counts); diff != "" {
			t.Fatalf("told (-want +got):\n%s", diff)
		}
		if got := v.Counts(1, 4).Good; got != want.count {
			t.Fatalf("counted %d, want %d", got, want.count)
		}
	}
	if diff := cmp.Diff(want.counts, v.Histogram().counts); diff != "" {
		t.Errorf("histogram (-want +got):\n%s", diff)
	}
	slot := Judged(1, 4).slot(anyRevision)
	if w := v.wides[slot].Load(); w == nil || w.done.Load() == 0 {
		t.Error("no cell was full: nothing was tested")
	}
}

// Under many writers no reader ever sees a count fall, and in the end all is there.
func TestOctavesConcurrent(t *testing.T) {
	const writers, each = 8, 40_000
	s := NewRegistry(8).Service("shop")
	v := s.Variant("v2")
	var wg sync.WaitGroup
	for w := range uint64(writers) {
		wg.Go(func() {
			for i := range uint64(each) {
				v.Begin(w).End(answered(4, 1000+i%3))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var last uint64
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		now := v.Counts(1, 4).Good
		if now < last {
			t.Fatalf("%d came after %d", now, last)
		}
		last = now
	}
	if last != writers*each {
		t.Errorf("counted %d, want %d", last, writers*each)
	}
}

// A reader that comes in the midst of a spill, when the cell is empty and the wide one does not have it yet, waits.
func TestOctaveReadWaitsForSpill(t *testing.T) {
	const full, bucket = 1 << 15, 40
	v := NewRegistry(1).Service("shop").Variant("v2")
	for range full + 1 { // the last one finds the cell full
		v.Begin(0).End(answered(4, bucket))
	}
	slot := Judged(1, 4).slot(anyRevision)
	w := v.wides[slot].Load()
	cell := &w.octaves[bucket>>octaveBits].Load()[bucket]
	if cell.Load() != full || w.total.Load() != full {
		t.Fatalf("the wide cell holds %d, want %d", cell.Load(), full)
	}
	w.begun.Add(1)
	cell.Store(0)
	w.total.Store(0)
	got := make(chan uint64, 2)
	go func() { got <- v.Counts(1, 4).Good }()
	go func() { got <- v.Histogram().Bucket(bucket) }()
	for range 1000 {
		runtime.Gosched() // let the readers look, as often as they like
	}
	cell.Store(full)
	w.total.Store(full)
	w.done.Add(1)
	for range 2 {
		if n := <-got; n != full+1 {
			t.Errorf("%d were read while a cell was being emptied, want %d", n, full+1)
		}
	}
}

// A cell has room for what is added before anybody empties it, and its neighbours in the word do not see it.
func TestOctaveRoom(t *testing.T) {
	var o octave
	for range cellMask {
		o.add(5)
	}
	o.add(6)
	var sum [octaveBuckets]uint64
	o.addTo(&sum)
	if want := [octaveBuckets]uint64{5: cellMask, 6: 1}; sum != want || o.total() != cellMask+1 {
		t.Errorf("%v, in all %d", sum[:8], o.total())
	}
}

// Requests of all shards are found, though some of them share their cells for latencies.
func TestShardsShareLanes(t *testing.T) {
	for _, shards := range []int{1, 2, 4, 8, 64} {
		v := NewRegistry(shards).Service("shop").Variant("v2")
		for i := range uint64(1000) {
			v.Begin(i).End(answered(4, i))
			v.Stall(i, Judged(1, 4))
		}
		if got := v.Counts(1, 4); got != (Counts{Good: 1000, Bad: 1000}) {
			t.Errorf("with %d shards: %+v", shards, got)
		}
		if got := v.Totals(); got.Requests != 1000 || got.InFlight != 0 || got.Stalled != 1000 {
			t.Errorf("with %d shards: %+v", shards, got)
		}
	}
}
