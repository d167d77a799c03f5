package stats

import (
	"math/bits"
	"runtime"
	"sync/atomic"
)

// octave is the part of a live histogram that counts the latencies of one power of two. Octaves are made when their first
// latency comes: a service answers within a few powers of two, so its histograms take one or two KiB.
//
// A cell has 16 bits, and four share a word, because these cells are nearly all of the memory that a rollout takes. Whoever
// sees the top bit of a cell set takes half of what it can hold over to the variant's wide cells. Up to an overflow there
// is room for as many more: so many goroutines would have to stand between their look at the cell and their addition.
type octave [octaveBuckets / wordCells]atomic.Uint64

const (
	cellBits  = 16
	wordCells = 64 / cellBits
	cellMask  = 1<<cellBits - 1
	cellFull  = 1 << (cellBits - 1)
	// wordFull is the top bits of all cells of a word.
	wordFull = cellFull * (1 + 1<<cellBits + 1<<(2*cellBits) + 1<<(3*cellBits))
)

// word is where a bucket is counted.
func (o *octave) word(bucket int) *atomic.Uint64 { return &o[uint(bucket)%octaveBuckets/wordCells] }

// add counts a latency, and says whether spill has to follow.
func (o *octave) add(bucket int) (full bool) {
	return o.word(bucket).Add(1<<(uint(bucket)%wordCells*cellBits))&wordFull != 0
}

// addTo adds the cells to a sum.
func (o *octave) addTo(sum *[octaveBuckets]uint64) {
	for i := range o {
		word := o[i].Load()
		if word == 0 {
			continue
		}
		cells := (*[wordCells]uint64)(sum[i*wordCells:])
		cells[0] += word & cellMask
		cells[1] += word >> cellBits & cellMask
		cells[2] += word >> (2 * cellBits) & cellMask
		cells[3] += word >> (3 * cellBits)
	}
}

// total is the sum of all cells. It adds up every other cell of a word at once: two sums fit in one.
func (o *octave) total() uint64 {
	const everyOther = cellMask | cellMask<<(2*cellBits)
	var two uint64
	for i := range o {
		word := o[i].Load()
		two += word&everyOther + word>>cellBits&everyOther
	}
	return two&(1<<(2*cellBits)-1) + two>>(2*cellBits)
}

// wide is the wide cells of one lane of a variant, for all shards.
type wide struct {
	begun, done atomic.Uint64 // spills that have begun, and that are done
	total       atomic.Uint64 // of all cells
	octaves     [octaves]atomic.Pointer[[octaveBuckets]atomic.Uint64]
}

// spills is how many spills are done; none is when there are no wide cells.
func (w *wide) spills() uint64 {
	if w == nil {
		return 0
	}
	return w.done.Load()
}

// still says whether nothing was spilled, or was on its way, since so many spills were done. now is where the wide cells
// are by now.
func (w *wide) still(done uint64, now *wide) bool {
	return w == now && (w == nil || w.begun.Load() == done)
}

// spill takes what the full cells of a word hold over to the wide cells.
func (v *Variant) spill(o *octave, slot, bucket int) {
	word, first := o.word(bucket), bucket%octaveBuckets&^(wordCells-1)
	if word.Load()&wordFull == 0 {
		return
	}
	if v.wides[slot].Load() == nil {
		v.wides[slot].CompareAndSwap(nil, new(wide))
	}
	w := v.wides[slot].Load()
	at := &w.octaves[bucket>>octaveBits]
	if at.Load() == nil {
		at.CompareAndSwap(nil, new([octaveBuckets]atomic.Uint64))
	}
	w.begun.Add(1)
	for {
		held := word.Load()
		full := held & wordFull
		if full == 0 {
			break // somebody else did it
		}
		if word.CompareAndSwap(held, held-full) {
			for i := range wordCells {
				at.Load()[first+i].Add(full >> (i * cellBits) & cellMask)
			}
			w.total.Add(uint64(bits.OnesCount64(full)) * cellFull)
			break
		}
	}
	w.done.Add(1)
}

// good is the number of all latencies of a lane. Like octave it waits for a spill that is under way, in the midst of which the
// numbers would be too small.
func (v *Variant) good(slot int, set *laneSet) (sum uint64) {
	for {
		w := v.wides[slot].Load()
		done := w.spills()
		sum = 0
		if w != nil {
			sum = w.total.Load()
		}
		for _, l := range set.all() {
			for i := range l.octaves {
				if o := l.octaves[i].Load(); o != nil {
					sum += o.total()
				}
			}
		}
		if w.still(done, v.wides[slot].Load()) {
			return sum
		}
		runtime.Gosched()
	}
}

// octave adds up one octave of a lane over all shards. It says whether there is any.
func (v *Variant) octave(slot, i int, set *laneSet, sum *[octaveBuckets]uint64) (found bool) {
	for {
		w := v.wides[slot].Load()
		done := w.spills()
		found = false
		for _, l := range set.all() {
			o := l.octaves[i].Load()
			if o == nil {
				continue
			}
			if !found {
				*sum, found = [octaveBuckets]uint64{}, true
			}
			o.addTo(sum)
		}
		if !found {
			return false
		}
		if w != nil {
			w.addTo(i, sum)
		}
		if w.still(done, v.wides[slot].Load()) {
			return true
		}
		runtime.Gosched()
	}
}

// addTo adds an octave of the wide cells to a sum.
func (w *wide) addTo(i int, sum *[octaveBuckets]uint64) {
	cells := w.octaves[i].Load()
	if cells == nil {
		return
	}
	for j := range cells {
		sum[j] += cells[j].Load()
	}
}
