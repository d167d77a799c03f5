package stats

import (
	"runtime"
	"sync/atomic"
)

// A tally counts requests, their latencies' sum and their response bytes with one atomic addition per request, because on the
// request path these additions are the whole cost (6 to 8 ns each). Three narrow fields share one word:
//
//	bits 54-63  requests
//	bits 27-53  sum of latencies, microseconds
//	bits  0-26  sum of response bytes
//
// When the top bit of a field is set, whoever sees it empties the word into three wide cells. Of a value that is not
// small next to its field only the low bits go into the word, and the rest goes to the wide cell directly.
type tally struct {
	packed                   atomic.Uint64
	begun, done              atomic.Uint64 // emptyings that have begun, and that are done
	requests, micros, volume atomic.Uint64 // the wide cells
}

const (
	volumeBits   = 27
	microsBits   = 27
	microsShift  = volumeBits
	requestShift = volumeBits + microsBits

	// tallySmall is what a field takes at once. From the top bit to an overflow there is room for 128 such values: so many
	// goroutines would have to stand between their look at the word and their addition, all in one shard.
	tallySmall = 1 << 19

	// tallyFull is the top bits of the fields.
	tallyFull = 1<<63 | 1<<(requestShift-1) | 1<<(microsShift-1)
)

// add counts a request, and says whether overflow has to do the rest. It is apart from overflow so that it can be inlined.
func (t *tally) add(micros, volume uint64) (overflows bool) {
	return t.packed.Add(packed(micros, volume))&tallyFull|(micros|volume)/tallySmall != 0
}

// packed is a request as it is added to a word.
func packed(micros, volume uint64) uint64 {
	return 1<<requestShift | micros%tallySmall<<microsShift | volume%tallySmall
}

// overflow does what add does seldom: what is not small goes to the wide cells, and a full word is emptied.
func (t *tally) overflow(micros, volume uint64) {
	t.micros.Add(micros - micros%tallySmall)
	t.volume.Add(volume - volume%tallySmall)
	if t.packed.Load()&tallyFull != 0 {
		t.empty()
	}
}

// empty moves the word into the wide cells.
func (t *tally) empty() {
	t.begun.Add(1)
	for {
		word := t.packed.Load()
		if word&tallyFull == 0 {
			break // somebody else did it
		}
		if t.packed.CompareAndSwap(word, 0) {
			requests, micros, volume := unpack(word)
			t.requests.Add(requests)
			t.micros.Add(micros)
			t.volume.Add(volume)
			break
		}
	}
	t.done.Add(1)
}

// unpack takes the fields out of a word.
func unpack(word uint64) (requests, micros, volume uint64) {
	return word >> requestShift, word >> microsShift & (1<<microsBits - 1), word & (1<<volumeBits - 1)
}

// read is the sums. It waits for an emptying that is under way, in the midst of which the numbers would be too small; a
// counter that falls would look like a restart to Prometheus.
func (t *tally) read() (requests, micros, volume uint64) {
	for {
		done := t.done.Load()
		requests, micros, volume = unpack(t.packed.Load())
		requests += t.requests.Load()
		micros += t.micros.Load()
		volume += t.volume.Load()
		// As many have begun now as were done at first: none was under way at any time between.
		if t.begun.Load() == done {
			return requests, micros, volume
		}
		runtime.Gosched()
	}
}
