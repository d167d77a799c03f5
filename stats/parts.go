package stats

import "sync/atomic"

// MaxParts is the number of parts of a service that can be counted apart.
const MaxParts = 8

// partCells is the cells of one part of a service in a lane.
type partCells struct{ bad, good atomic.Uint64 }

// PartCounts is the counts of the parts, by number less one.
type PartCounts [MaxParts]Counts

// minus takes earlier counts of the same cells away.
func (c PartCounts) minus(d PartCounts) PartCounts {
	for i := range c {
		c[i] = c[i].minus(d[i])
	}
	return c
}

// pairOfParts is the counts of both sides.
type pairOfParts struct{ canary, stable PartCounts }

// CountPart counts the outcome of a judged request for its part of the service, from 1 to MaxParts; a part of another number is none.
// It comes right before the End, or the Stall, of the request, with the lane of that. A client that went away counts for nothing.
func (v *Variant) CountPart(shard uint64, lane Lane, part uint8, o Outcome) {
	slot := lane.slot(v.service.judging.Load())
	if slot == 0 || part == 0 || part > MaxParts {
		return
	}
	switch cells := v.lane(v.berth(shard), slot).partCells(); {
	case o.Failed():
		cells[part-1].bad.Add(1)
	case o.Succeeded():
		cells[part-1].good.Add(1)
	}
}

// partCells are the cells of the parts, which the first request of one makes.
func (l *lane) partCells() *[MaxParts]partCells {
	if cells := l.parts.Load(); cells != nil {
		return cells
	}
	l.parts.CompareAndSwap(nil, new([MaxParts]partCells))
	return l.parts.Load()
}

// Parts is what came in a stratum (1 to Strata) since the last Parts of that stratum. Nothing is counted twice and nothing is lost
// between two calls. It takes no part in Delta. A service without parts need not call it.
func (r *Reader) Parts(stratum int) (canary, stable PartCounts) {
	if stratum < 1 || stratum > Strata {
		return canary, stable
	}
	before := r.parts[stratum-1]
	now := pairOfParts{canary: r.canary.partCounts(stratum, r.revision), stable: r.stable.partCounts(stratum, r.revision)}
	r.parts[stratum-1] = now
	return now.canary.minus(before.canary), now.stable.minus(before.stable)
}

// partCounts is what the judged lane of a stratum and of the revision's parity has counted, ever.
func (v *Variant) partCounts(stratum int, revision uint64) (sum PartCounts) {
	set := v.laneSet(Judged(stratum, revision).slot(anyRevision))
	for _, l := range set.all() {
		cells := l.parts.Load()
		if cells == nil {
			continue
		}
		for i := range cells {
			sum[i].Bad += cells[i].bad.Load()
			sum[i].Good += cells[i].good.Load()
		}
	}
	return sum
}
