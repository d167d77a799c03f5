package rollout

import (
	"haldane/analysis"
	"haldane/stats"
)

// events hands the counts of a service's events to the judge.
type events struct {
	number         int // how many there are; none is the usual case and costs nothing
	canary, stable [stratumSegment][]analysis.Counts
}

// fill puts the new counts into a block.
func (e *events) fill(reader *stats.Reader, b *analysis.Block) {
	if e.number == 0 {
		return
	}
	canary, stable := reader.Events(b.Stratum)
	b.CanaryEvents = e.copied(&e.canary[b.Stratum-1], &canary)
	b.StableEvents = e.copied(&e.stable[b.Stratum-1], &stable)
}

// copied are counts as the judge reads them, in a buffer that is kept.
func (e *events) copied(buffer *[]analysis.Counts, counts *stats.EventCounts) []analysis.Counts {
	*buffer = (*buffer)[:0]
	for _, c := range counts[:e.number] {
		*buffer = append(*buffer, analysis.Counts(c))
	}
	return *buffer
}

// count makes requests count as what the policy in force says. It comes before a split whose requests are to count so.
func (r *runner) count() {
	checks := &r.state.Policy.Checks
	r.evidence.service.SetKinds(failureKinds(checks))
	r.evidence.events.number = len(eventNames(checks))
	r.evidence.service.SetMeasures(measures(checks))
	r.evidence.measuring.use(checks)
	r.evidence.parts.use(&r.state.Policy)
}
