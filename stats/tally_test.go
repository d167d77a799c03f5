package stats

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// reading is what a tally says.
type reading struct{ requests, micros, volume uint64 }

func readTally(t *tally) (r reading) {
	r.requests, r.micros, r.volume = t.read()
	return r
}

// record counts a request.
func record(t *tally, micros, volume uint64) {
	if t.add(micros, volume) {
		t.overflow(micros, volume)
	}
}

// below says whether any number of r is smaller than that of other.
func (r reading) below(other reading) bool {
	return r.requests < other.requests || r.micros < other.micros || r.volume < other.volume
}

// value draws a number of any size: mostly small ones, often ones at the edge of what a word takes at once.
func value(rng *rand.Rand) uint64 {
	switch rng.IntN(10) {
	case 0:
		return tallySmall - 2 + rng.Uint64N(4)
	case 1:
		return rng.Uint64N(1 << 40)
	case 2:
		return 0
	}
	return rng.Uint64N(5000)
}

// Packed sums are plain sums, at every moment.
func TestTallyAgainstPlainSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var packed tally
	var want reading
	for i := range 200_000 {
		micros, volume := value(rng), value(rng)
		record(&packed, micros, volume)
		want.requests++
		want.micros += micros
		want.volume += volume
		if got := readTally(&packed); got != want {
			t.Fatalf("after %d: %+v, want %+v", i+1, got, want)
		}
	}
	if packed.done.Load() == 0 {
		t.Error("the word was never emptied: nothing was tested")
	}
}

// Under many writers no reader ever sees a number fall, and in the end all is there.
func TestTallyConcurrent(t *testing.T) {
	const writers, each = 8, 50_000
	var packed tally
	var want reading
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(w)))
			var mine reading
			for range each {
				micros, volume := value(rng), value(rng)
				record(&packed, micros, volume)
				mine.requests++
				mine.micros += micros
				mine.volume += volume
			}
			mu.Lock()
			defer mu.Unlock()
			want = reading{want.requests + mine.requests, want.micros + mine.micros, want.volume + mine.volume}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var last reading
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		now := readTally(&packed)
		if now.below(last) {
			t.Fatalf("%+v came after %+v", now, last)
		}
		last = now
	}
	if last != want {
		t.Errorf("%+v, want %+v", last, want)
	}
}

// The fields have room for what is added before anybody empties the word.
func TestTallyRoom(t *testing.T) {
	const most = tallySmall - 1
	var packed tally
	word := uint64(0)
	for word&tallyFull == 0 {
		word = packed.packed.Add(1<<requestShift | most<<microsShift | most)
	}
	n := word >> requestShift
	for range 127 {
		word = packed.packed.Add(1<<requestShift | most<<microsShift | most)
	}
	requests, micros, volume := unpack(word)
	if requests != n+127 || micros != requests*most || volume != requests*most {
		t.Errorf("a field ran over: %d requests, %d us, %d bytes", requests, micros, volume)
	}
}

// A reader that comes in the midst of an emptying, when the word is empty and the wide cells do not have it yet, waits.
func TestTallyReadWaitsForEmptying(t *testing.T) {
	var packed tally
	packed.add(1000, 70)
	packed.begun.Add(1)
	requests, micros, volume := unpack(packed.packed.Swap(0))

	got := make(chan reading, 1)
	go func() { got <- readTally(&packed) }()
	for range 1000 {
		runtime.Gosched() // let the reader look, as often as it likes
	}
	packed.requests.Add(requests)
	packed.micros.Add(micros)
	packed.volume.Add(volume)
	packed.done.Add(1)
	if r := <-got; r != (reading{1, 1000, 70}) {
		t.Errorf("%+v was read while the word was being emptied", r)
	}
}
