package rollout

import (
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// evidence reads the counts of one service.
type evidence struct {
	service        *stats.Service
	canary, stable *stats.Variant
	reader         *stats.Reader // of the split in force; nil while nothing is judged
	split          Split         // the split in force
	fresh          bool          // whether there is something that was not looked at
	seenCanary     Seen          // what had been counted at the last look
	seenStable     Seen
	poll           stats.Poll
	users          int
	looked         time.Time // the last look
	latency        latency
	events         events
	measuring      measuring
	parts          parts
	reports        []analysis.Report // of metrics that are not counted on requests, since the last look
	keyed          int               // how many of them came with an idempotency key
}

// attach finds the counters of the rollout's variants. What they have counted so far is not the rollout's.
func (e *evidence) attach(registry *stats.Registry, spec *Spec) {
	service := registry.Service(spec.Service)
	canary, stable := service.Variant(spec.Canary), service.Variant(spec.Stable)
	if e.service == service && e.canary == canary && e.stable == stable {
		return
	}
	*e = evidence{service: service, canary: canary, stable: stable}
	e.seenCanary, e.seenStable = seen(canary), seen(stable)
}

// open begins to read a split. It is called before the split takes effect.
func (e *evidence) open(split Split) {
	e.split = split
	e.reader = e.service.Reader(split.Revision, e.canary, e.stable)
	e.latency.behind = false // the reader tells nothing of the split before
	e.measuring.sides = [stratumSegment][2]measuredSide{}
}

// close ends the judging.
func (e *evidence) close() {
	e.reader, e.reports, e.keyed = nil, nil, 0
	e.service.StopJudging()
}

// seen are all requests of a variant.
func seen(v *stats.Variant) Seen {
	t := v.Totals()
	return Seen{Requests: t.Requests, Failed: t.Failed}
}

// since is what came after an earlier look.
func (s Seen) since(before Seen) Seen {
	return Seen{Requests: s.Requests - before.Requests, Failed: s.Failed - before.Failed}
}

// The strata of a service, as requests carry them.
const (
	stratumSplit   = 1 // drawn with the weight of the split
	stratumSegment = 2 // drawn with the strength of the segment
)

// blocks are the new judged requests. With a weight that leaves nothing to compare only absolute checks look at them.
func (e *evidence) blocks() []analysis.Block {
	if e.reader == nil {
		return nil
	}
	list := make([]analysis.Block, 0, stratumSegment)
	list = append(list, e.block(stratumSplit, e.split.Weight))
	if e.split.grouped() {
		list = append(list, e.block(stratumSegment, e.split.Strength))
	}
	return list
}

func (e *evidence) block(stratum int, weight config.Percent) analysis.Block {
	canary, stable := e.reader.Delta(stratum)
	b := analysis.Block{
		Stratum: stratum, Weight: weight.Ratio(),
		Canary: analysis.Counts(canary), Stable: analysis.Counts(stable),
	}
	e.events.fill(e.reader, &b)
	e.measuring.fill(e.reader, &b)
	e.parts.fill(e.reader, &b)
	return b
}

// vote lets users vote again when it is time.
func (e *evidence) vote(now time.Time, blocks []analysis.Block) {
	var canary stats.Counts
	for i := range blocks {
		canary.Bad += blocks[i].Canary.Bad
		canary.Good += blocks[i].Canary.Good
	}
	e.users = e.service.Voters().Users()
	e.poll.Look(e.service.Voters(), now, canary)
}

// news says whether a request has ended since the last look.
func (e *evidence) news() bool {
	e.fresh = e.fresh || e.service.Dirty() || len(e.reports) > 0
	return e.fresh
}

// coast lets time pass for a rollout of which nothing was seen. It says false when it is to be looked at.
func (r *runner) coast(now time.Time) bool {
	e, clock := &r.evidence, r.state.Clock
	if e.news() || e.latency.behind || e.users != r.state.Users || e.spends(&r.state) || !r.state.coast(now) {
		return false
	}
	r.changed = r.changed || r.state.Clock != clock
	return true
}

// observe is what came since the last look. A service without new requests costs nothing but the look.
func (r *runner) observe(now time.Time) Observation {
	e := &r.evidence
	o := Observation{Verdict: r.state.Verdict, Users: e.users}
	o.Spent, o.Losses = e.spent(&r.state)
	dirty := e.news()
	e.fresh = false
	if r.state.mayLeave(now) {
		e.latency.hurry() // a step is not left before all that was seen of it was looked at
	}
	due := e.latency.due(now, dirty)
	if !dirty && !due {
		return o
	}
	r.changed = true
	canary, stable := seen(e.canary), seen(e.stable)
	o.Canary, o.Stable = canary.since(e.seenCanary), stable.since(e.seenStable)
	e.seenCanary, e.seenStable = canary, stable
	blocks := e.blocks()
	for i := range blocks {
		if e.split.compares(blocks[i].Stratum) {
			o.Judged += blocks[i].Canary.Bad + blocks[i].Canary.Good
			o.Reference += blocks[i].Stable.Bad + blocks[i].Stable.Good
		}
	}
	if due && judgesLatency(r.settings) {
		e.latency.fill(e.reader, blocks)
	}
	if by := skew(e.looked, now); by.Abs() >= time.Second {
		r.judge.ClockSet(by)
	}
	e.looked = now
	r.record(now, &o, blocks)
	r.judge.Observe(now, blocks)
	r.takeReports(now)
	o.Verdict = r.judge.Verdict()
	r.numbers.Runs[o.Verdict.Class]++
	e.vote(now, blocks)
	o.Users = e.users
	return o
}

// skew is by how much the time of day was set between two moments of one process.
func skew(before, now time.Time) time.Duration {
	if before.IsZero() {
		return 0
	}
	return now.Round(0).Sub(before.Round(0)) - now.Sub(before) // Round takes off the clock that nobody can set
}
