package stats

// Counts is what a verdict on errors reads: requests that failed and requests that succeeded. Clients that went away are in
// neither.
type Counts struct{ Bad, Good uint64 }

// Total is all requests that count.
func (c Counts) Total() uint64 { return c.Bad + c.Good }

// plus adds two counts.
func (c Counts) plus(d Counts) Counts { return Counts{Bad: c.Bad + d.Bad, Good: c.Good + d.Good} }

// minus takes earlier counts of the same cells away.
func (c Counts) minus(d Counts) Counts { return Counts{Bad: c.Bad - d.Bad, Good: c.Good - d.Good} }

// Counts is what the judged lane of a stratum and of the revision's parity has counted, ever: it includes what earlier
// revisions of the same parity left there. For one revision alone use a Reader.
func (v *Variant) Counts(stratum int, revision uint64) Counts {
	var sum Counts
	slot := Judged(stratum, revision).slot(anyRevision)
	if slot == 0 {
		return sum
	}
	set := v.laneSet(slot)
	for _, l := range set.all() {
		sum.Bad += l.failures.Load()
	}
	sum.Good = v.good(slot, &set)
	return sum
}

// Reader reads the evidence of one revision of a service's split: what requests that were drawn under exactly this
// revision have counted since the last look. One Reader is made per revision, before the split takes effect. It is not
// for concurrent use.
//
// Late answers. While a Reader is open, only requests of its revision are judged; those of every other one are recorded
// as unjudged. Two revisions in a row write to different lanes, so that a request which looked at the open revision
// just before it changed writes to a lane that the new Reader does not read. The lane is read again by the revision
// after the next, and what is in it by then is the baseline it starts from. For a request of an older revision to be
// pooled, its goroutine would have to stand still between two machine instructions, that load and the write that
// follows it, from one revision until the second next has begun.
type Reader struct {
	canary, stable *Variant
	revision       uint64
	seen           [Strata]pair
	told           [Strata]struct{ canary, stable told }
	happened       [Strata]pairOfEvents
	measured       [Strata]pairOfUnits
	parts          [Strata]pairOfParts
}

// pair is the counts of both sides.
type pair struct{ canary, stable Counts }

// Reader begins to judge a revision of the split, and ends the judging of the one before. Requests of the revision that have
// already ended are not counted, on either side alike. The two variants must be of this service.
func (s *Service) Reader(revision uint64, canary, stable *Variant) *Reader {
	r := &Reader{canary: canary, stable: stable, revision: revision}
	// The baseline comes first: after the store below every request counts, so both sides begin at the same moment.
	for i := range r.seen {
		r.seen[i] = r.read(i + 1)
		r.Events(i + 1)
		r.Measured(i + 1)
		r.Parts(i + 1)
		slot := Judged(i+1, revision).slot(anyRevision)
		canary.skip(slot, &r.told[i].canary)
		stable.skip(slot, &r.told[i].stable)
	}
	s.judging.Store(revision)
	return r
}

// Revision is the revision that is read.
func (r *Reader) Revision() uint64 { return r.revision }

// Delta is what came in a stratum (1 to Strata) since the last Delta of that stratum. Nothing is counted twice and
// nothing is lost between two calls.
func (r *Reader) Delta(stratum int) (canary, stable Counts) {
	if stratum < 1 || stratum > Strata {
		return Counts{}, Counts{}
	}
	now, before := r.read(stratum), r.seen[stratum-1]
	r.seen[stratum-1] = now
	return now.canary.minus(before.canary), now.stable.minus(before.stable)
}

// read is the counts of both sides since ever.
func (r *Reader) read(stratum int) pair {
	return pair{canary: r.canary.Counts(stratum, r.revision), stable: r.stable.Counts(stratum, r.revision)}
}

// StopJudging ends the judging of every revision: judged requests are recorded as unjudged until a Reader is made. Use it
// when a rollout has ended.
func (s *Service) StopJudging() { s.judging.Store(noRevision) }

// noRevision matches no revision, because a Lane has no room for one that large.
const noRevision = anyRevision - 1
