package rollout

import (
	"time"

	"haldane/analysis"
	"haldane/stats"
)

// runner is the live part of one service. It belongs to whoever holds the manager's lock.
type runner struct {
	name    string
	state   State
	running bool // whether there is a rollout; otherwise state means nothing
	former  []former
	// revision is that of the last split, kept while there is no rollout.
	revision uint64

	asleep   bool            // loaded, and not configured yet
	unread   error           // why the stored record could not be read
	restored *analysis.State // the stored evidence, until Configure takes it up

	numbers  Numbers // of this process
	judge    *analysis.Judge
	settings *analysis.Settings // what the judge was made with
	evidence evidence

	stored    uint64 // the revision of the record in the store
	failed    []byte // the last value that could not be stored for sure
	changed   bool   // since it was stored
	unapplied bool   // the splitter did not take the last split
}

// awake says whether the runner has a rollout that is in force.
func (r *runner) awake() bool { return r.running && !r.asleep }

// evidence reads the counts of one service.
type evidence struct {
	service        *stats.Service
	canary, stable *stats.Variant
	reader         *stats.Reader // of the split in force; nil while nothing is judged
	split          Split         // the split in force
	seenCanary     Seen          // what had been counted at the last look
	seenStable     Seen
	rotated        time.Time // when a vote window began
	users          int
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
}

// close ends the judging.
func (e *evidence) close() {
	e.reader = nil
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

// blocks are the new compared requests.
func (e *evidence) blocks() []analysis.Block {
	if e.reader == nil {
		return nil
	}
	list := make([]analysis.Block, 0, 2)
	list = append(list, e.block(stratumSplit, e.split.Weight.Ratio()))
	if e.split.Segment != "" {
		list = append(list, e.block(stratumSegment, e.split.Strength.Ratio()))
	}
	return list
}

func (e *evidence) block(stratum int, weight float64) analysis.Block {
	canary, stable := e.reader.Delta(stratum)
	return analysis.Block{
		Stratum: stratum, Weight: weight,
		Canary: analysis.Counts(canary), Stable: analysis.Counts(stable),
	}
}

// rotate begins a new vote window when it is time: every minute or, with few users, at every look.
func (e *evidence) rotate(now time.Time) {
	voters := e.service.Voters()
	e.users = voters.Users()
	if e.users < fewUsers || now.Sub(e.rotated) >= voteWindow {
		voters.Rotate()
		e.rotated = now
	}
}

// observe is what came since the last look. A service without new requests costs nothing but the look.
func (r *runner) observe(now time.Time) Observation {
	e := &r.evidence
	o := Observation{Verdict: r.state.Verdict, Spent: max(r.state.Spent, e.service.Budget().Spent()), Users: e.users}
	if !e.service.Dirty() {
		return o
	}
	r.changed = true
	canary, stable := seen(e.canary), seen(e.stable)
	o.Canary, o.Stable = canary.since(e.seenCanary), stable.since(e.seenStable)
	e.seenCanary, e.seenStable = canary, stable
	blocks := e.blocks()
	for _, b := range blocks {
		o.Judged += b.Canary.Bad + b.Canary.Good
	}
	r.judge.Observe(now, blocks)
	o.Verdict = r.judge.Verdict()
	r.numbers.Runs[o.Verdict.Class]++
	e.rotate(now)
	o.Users = e.users
	return o
}
