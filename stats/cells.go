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

// What nearly every request needs leads from the berth to the cells without another step: the row of answers with 2xx, and the
// lanes of the first two strata (a router draws in no others) beside that of the unjudged.
const (
	usualClass = 2
	usualLanes = 1 + 2*2
)

// berth is what a variant has for each shard from the start, one cache line. What is in flight is not a cell of its own: it is
// what began less what ended, and saves one write per request. The rest is made by the first request that needs it.
type berth struct {
	begun atomic.Uint64
	shard atomic.Pointer[shard]
	row   atomic.Pointer[row]              // of OutcomeOK and usualClass
	lanes [usualLanes]atomic.Pointer[lane] // of the first slots
}

// shard is what else one share of the request goroutines writes to.
type shard struct {
	bytesIn atomic.Uint64
	stalled atomic.Uint64
	rows    [outcomeSlots][classes]atomic.Pointer[row]
	lanes   [lanes - usualLanes]atomic.Pointer[lane]
	_       cacheLine
}

// berth finds the place of a shard.
func (c *Counter) berth(shard uint64) *berth { return &c.berths[shard&uint64(len(c.berths)-1)] }

// made finds a shard, or makes it.
func (b *berth) made() *shard {
	if s := b.shard.Load(); s != nil {
		return s
	}
	b.shard.CompareAndSwap(nil, new(shard))
	return b.shard.Load()
}

// rowAt is where a row is, nil while there is no shard that could have it.
func (b *berth) rowAt(outcome, class int) *atomic.Pointer[row] {
	if outcome == int(OutcomeOK) && class == usualClass {
		return &b.row
	}
	if s := b.shard.Load(); s != nil {
		return &s.rows[outcome][class]
	}
	return nil
}

// laneAt is where a lane is, nil while there is no shard that could have it.
func (b *berth) laneAt(slot int) *atomic.Pointer[lane] {
	if slot < usualLanes {
		return &b.lanes[slot]
	}
	if s := b.shard.Load(); s != nil {
		return &s.lanes[slot-usualLanes]
	}
	return nil
}

// unusualRow is the row of successes with another status than 2xx; nil for one that is not there, or that has no latency.
//
//go:noinline
func (b *berth) unusualRow(status int) *row {
	s, class := b.shard.Load(), classOf(status)
	if s == nil || class == 0 {
		return nil
	}
	return s.rows[OutcomeOK][class].Load()
}

// reachRow finds a row, or makes it.
func (b *berth) reachRow(outcome, class int) *row {
	b.made()
	at := b.rowAt(outcome, class)
	if at.Load() == nil {
		at.CompareAndSwap(nil, new(row))
	}
	return at.Load()
}

// lane finds a lane, or makes it.
func (v *Variant) lane(b *berth, slot int) *lane {
	b.made()
	at := b.laneAt(slot)
	if l := at.Load(); l != nil {
		return l
	}
	owner := v.owner(b)
	owner.made()
	shared := owner.laneAt(slot)
	shared.CompareAndSwap(nil, new(lane))
	at.Store(shared.Load())
	return at.Load()
}

// owner is the berth whose lanes a berth shares.
func (v *Variant) owner(b *berth) *berth {
	for i := range v.berths {
		if &v.berths[i] == b {
			return &v.berths[i%latencyShards]
		}
	}
	return b
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
		at := v.berths[i].laneAt(slot)
		if at == nil {
			continue
		}
		if l := at.Load(); l != nil {
			set.lanes[set.n] = l
			set.n++
		}
	}
	return set
}
