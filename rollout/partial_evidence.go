package rollout

import (
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// parts hands the counts of a service's parts to the judge.
type parts struct {
	number, first  int // how many there are, and the number of the first as an event; none is the usual case and costs nothing
	canary, stable [stratumSegment][]analysis.Counts
}

// use takes the parts of the policy in force.
func (p *parts) use(policy *config.Policy) {
	p.number, p.first = len(policy.Partial.Parts()), firstPart(&policy.Checks)
}

// fill puts the new counts into a block that has its events and metrics.
func (p *parts) fill(reader *stats.Reader, b *analysis.Block) {
	if p.number == 0 {
		return
	}
	canary, stable := reader.Parts(b.Stratum)
	b.CanaryEvents = p.added(&p.canary[b.Stratum-1], b.CanaryEvents, &canary)
	b.StableEvents = p.added(&p.stable[b.Stratum-1], b.StableEvents, &stable)
}

// added are events with the counts of the parts behind them, in a buffer that is kept.
func (p *parts) added(buffer *[]analysis.Counts, events []analysis.Counts, counts *stats.PartCounts) []analysis.Counts {
	*buffer = append((*buffer)[:0], events...)
	for len(*buffer) < p.first-1 {
		*buffer = append(*buffer, analysis.Counts{})
	}
	for _, c := range counts[:p.number] {
		*buffer = append(*buffer, analysis.Counts(c))
	}
	return *buffer
}

// renew forgets the evidence of the checks of the whole service. The settings are those of the state now.
func (r *runner) renew(now time.Time) {
	r.retune()
	renewWhole(r.judge, now)
}

func renewWhole(judge *analysis.Judge, now time.Time) {
	judge.Renew(now, func(check string) bool { return partOf(check) == "" })
}
