package stats

import "sync/atomic"

// cacheLine keeps what one core writes away from what another writes. 64 bytes is the line of amd64 and of most arm64; where
// lines are longer the cells stay correct and only cost more under contention.
type cacheLine = [64]byte

// octave is the part of a live histogram that counts the latencies of one power of two. Octaves are made when their first
// latency comes: a service answers within a few powers of two, so its histograms take a few KiB and not 26.
type octave [octaveBuckets]atomic.Uint64

// lane is where requests of one kind are counted within one shard. Its cells only ever grow, over all revisions, so that what
// Prometheus sees never falls; who wants the counts of one revision subtracts what was there when it began (see Reader).
//
// In a judged lane every latency is that of a success, so their number is the number of successes, and a success costs one
// addition. Failures, which are rare, have a cell of their own.
type lane struct {
	failures atomic.Uint64
	events   [MaxEvents]happenings
	octaves  [octaves]atomic.Pointer[octave]
	_        cacheLine
}

// newOctave makes an octave, or finds the one that another goroutine was first to make.
func (l *lane) newOctave(i int) *octave {
	l.octaves[i].CompareAndSwap(nil, new(octave))
	return l.octaves[i].Load()
}

// addTo adds the latencies of the lane to a snapshot, all but their sum.
func (l *lane) addTo(h *Histogram) {
	for i := range l.octaves {
		o := l.octaves[i].Load()
		if o == nil {
			continue
		}
		counts := h.counts[i*octaveBuckets : (i+1)*octaveBuckets]
		for j := range o {
			n := o[j].Load()
			counts[j] += n
			h.count += n
		}
	}
}

// counts is the numbers of a judged lane.
func (l *lane) counts() Counts {
	c := Counts{Bad: l.failures.Load()}
	for i := range l.octaves {
		if o := l.octaves[i].Load(); o != nil {
			for j := range o {
				c.Good += o[j].Load()
			}
		}
	}
	return c
}

// row is the tallies of one outcome and one status class, by method.
type row [methods]tally

// shard is the cells of one variant that one share of the request goroutines writes to. What is in flight is not a cell
// of its own: it is what began less what ended, and saves one write per request.
type shard struct {
	begun   atomic.Uint64
	bytesIn atomic.Uint64
	rows    [outcomeSlots][classes]atomic.Pointer[row]
	lanes   [lanes]atomic.Pointer[lane]
	_       cacheLine
}

// newRow makes a row, or finds the one that another goroutine was first to make.
func (s *shard) newRow(outcome, class int) *row {
	s.rows[outcome][class].CompareAndSwap(nil, new(row))
	return s.rows[outcome][class].Load()
}

// newLane makes a lane, or finds the one that another goroutine was first to make.
func (s *shard) newLane(i int) *lane {
	s.lanes[i].CompareAndSwap(nil, new(lane))
	return s.lanes[i].Load()
}
