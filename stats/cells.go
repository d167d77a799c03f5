package stats

import "sync/atomic"

// cacheLine keeps what one core writes away from what another writes. 64 bytes is the line of amd64 and of most arm64; where
// lines are longer the cells stay correct and only cost more under contention.
type cacheLine = [64]byte

// latencyShards is how many shards of a variant have cells of their own for latencies, which are many; the others share
// those. Sharing costs the time to bring a cache line from one core to another, if two of them count at the same moment.
const latencyShards = 4

// lane is where requests of one kind are counted within one shard. Its cells only ever grow, over all revisions, so that what
// Prometheus sees never falls; who wants the counts of one revision subtracts what was there when it began (see Reader).
//
// In a judged lane every latency is that of a success, so their number is the number of successes, and a success costs one
// addition. Failures, which are rare, have a cell of their own.
type lane struct {
	failures atomic.Uint64
	events   [MaxEvents]happenings
	octaves  [octaves]atomic.Pointer[octave]
	measured atomic.Pointer[[MaxMeasures]measured] // made by the first number
	parts    atomic.Pointer[[MaxParts]partCells]   // made by the first request of one
	_        cacheLine
}

// newOctave makes an octave, or finds the one that another goroutine was first to make.
func (l *lane) newOctave(i int) *octave {
	l.octaves[i].CompareAndSwap(nil, new(octave))
	return l.octaves[i].Load()
}

// row is the tallies of one outcome and one status class, by method.
type row [methods]tally

// shard is the cells of one variant that one share of the request goroutines writes to.
type shard struct {
	bytesIn atomic.Uint64
	stalled atomic.Uint64
	rows    [outcomeSlots][classes]atomic.Pointer[row]
	lanes   [lanes]atomic.Pointer[lane]
	_       cacheLine
}

// newRow makes a row, or finds the one that another goroutine was first to make.
func (s *shard) newRow(outcome, class int) *row {
	s.rows[outcome][class].CompareAndSwap(nil, new(row))
	return s.rows[outcome][class].Load()
}

// berth is what a variant has for each shard from the start. What is in flight is not a cell of its own: it is what began
// less what ended, and saves one write per request.
type berth struct {
	begun atomic.Uint64
	shard atomic.Pointer[shard] // made by the first request that ends
	_     [48]byte              // to the end of the cache line
}

// berth finds the place of a shard.
func (v *Variant) berth(shard uint64) *berth { return &v.berths[shard&uint64(len(v.berths)-1)] }

// shard finds a shard, or makes it.
func (v *Variant) shard(n uint64) *shard {
	b := v.berth(n)
	if s := b.shard.Load(); s != nil {
		return s
	}
	b.shard.CompareAndSwap(nil, new(shard))
	return b.shard.Load()
}

// lane finds a lane of a shard, or makes it.
func (v *Variant) lane(n uint64, slot int) *lane {
	s := v.shard(n)
	if l := s.lanes[slot].Load(); l != nil {
		return l
	}
	owner := v.shard(n & uint64(len(v.berths)-1) % latencyShards)
	owner.lanes[slot].CompareAndSwap(nil, new(lane))
	s.lanes[slot].Store(owner.lanes[slot].Load())
	return s.lanes[slot].Load()
}

// laneSet is the lanes of one slot of a variant, each of them once.
type laneSet struct {
	lanes [latencyShards]*lane
	n     int
}

// all is the lanes.
func (s *laneSet) all() []*lane { return s.lanes[:s.n] }

// laneSet finds the lanes of a slot.
func (v *Variant) laneSet(slot int) (set laneSet) {
	for i := range min(len(v.berths), latencyShards) {
		if s := v.berths[i].shard.Load(); s != nil {
			if l := s.lanes[slot].Load(); l != nil {
				set.lanes[set.n] = l
				set.n++
			}
		}
	}
	return set
}
