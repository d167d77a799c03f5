package rollout

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"haldane/analysis"
	"haldane/store"
)

// plan is a transition that is to be made.
type plan struct {
	r       *runner
	next    State
	actions []Action
	seen    Observation // what Step was told
	err     error       // why it could not be stored first, and was not made
	audit   []store.Entry
}

// has says whether the plan has an action of the kind.
func (p *plan) has(k ActionKind) bool {
	return slices.ContainsFunc(p.actions, func(a Action) bool { return a.Kind == k })
}

// effects are the things that a reload does in another way.
type effects struct {
	revoke   func(service string)
	split    func(Split) error
	announce func(Event)
	// owe keeps a report until it is stored.
	owe func(*runner, []store.Ending)
}

// live are the effects of a running rollout.
func (m *Manager) live() effects {
	return effects{
		revoke: m.options.Splitter.Revoke, split: m.options.Splitter.SetSplit, announce: m.announce,
		owe: func(r *runner, e []store.Ending) { r.owe(e, nil) },
	}
}

// commit makes transitions. First those that need not be stored before: what takes users off a canary waits for no disk. Then
// everything is stored in one transaction. Then the others are made, or say in err why not.
func (m *Manager) commit(now time.Time, plans []*plan) {
	m.commitWith(now, plans, m.live())
}

func (m *Manager) commitWith(now time.Time, plans []*plan, e effects) {
	if len(plans) == 0 {
		return
	}
	var first, after []*plan
	m.revokeAll(plans, e)
	for _, p := range plans {
		if p.has(ActionStoreFirst) {
			first = append(first, p)
			continue
		}
		m.carryOut(now, p, e)
		p.r.owe(nil, p.audit)
		if p.has(ActionStore) {
			after = append(after, p)
		}
	}
	m.persist(now, first, after)
	tripped := trippedMeanwhile(first)
	for _, p := range first {
		switch {
		case p.err != nil:
		case tripped[p]:
			p.r.changed = true // what was stored is not what happens: the loop rolls back, and stores that
			m.signal()
		default:
			m.carryOut(now, p, e)
			p.r.changed = false
		}
	}
	m.bindBudgets()
}

// persist stores transitions. One that conflicts must not keep the others from being stored.
func (m *Manager) persist(now time.Time, first, after []*plan) {
	groups := wholes(first)
	drafts := m.drafts(now, groups, after)
	err := m.saver.save(drafts)
	if errors.Is(err, store.ErrConflict) && len(groups)+len(after) > 1 {
		for _, group := range groups {
			m.persist(now, group, nil)
		}
		return // the others are retried by the next checkpoint
	}
	for _, p := range first {
		if p.err == nil {
			p.err = err
		}
		p.r.changed = p.r.changed || p.err != nil // a save that seemed to fail may land late: it is to be overwritten
	}
	for _, p := range after {
		p.r.changed = err != nil
	}
	if err != nil {
		m.options.Logger.Error("the state of rollouts cannot be stored", zap.Error(err), zap.Int("records", len(drafts)))
	}
}

// draft is the record of the state after the transition. If it is stored before it is made, so is what the transition does to
// the evidence.
func (m *Manager) draft(p *plan, now time.Time) (draft, error) {
	memory := p.r.memory(&p.next)
	if p.has(ActionStoreFirst) && memory.Judge != nil {
		memory.Judge = p.evidence(now, *memory.Judge)
	}
	value, err := encodeMemory(memory)
	if err != nil {
		return draft{}, err
	}
	return draft{r: p.r, record: m.filed(p, store.Record{Service: p.r.name, Value: value})}, nil
}

// evidence is the judge's memory after the transition, made of that before.
func (p *plan) evidence(now time.Time, before analysis.State) *analysis.State {
	judge, err := analysis.Restore(p.next.settings(), before)
	if err != nil { // a judge's own state is always valid
		return nil
	}
	old := p.r.state.split()
	for _, a := range p.actions {
		switch a.Kind {
		case ActionStartOver:
			judge.StartOver(now)
		case ActionRenew:
			renewWhole(judge, now)
		case ActionNewStep:
			judge.NewStep(now)
		case ActionSplit:
			if p.next.Phase.exposing() && a.Split.reweighs(old) {
				judge.WeightChanged(now)
			}
		}
	}
	after := judge.State()
	return &after
}

// memory is what is to be stored of the service, with the given state.
func (r *runner) memory(s *State) memory {
	m := memory{Former: r.former, Revision: r.revision}
	if r.running {
		m.State, m.Revision = r.judged(s), s.Revision
		if r.judge != nil {
			evidence := r.judge.State()
			m.Judge = &evidence
		}
		if s.Phase.exposing() && r.state.Phase.exposing() && s.Attempt == r.state.Attempt && r.evidence.service != nil {
			m.Crowd = r.evidence.service.Budget().Crowd()
		}
	}
	return m
}

// carryOut makes a transition: it does what the actions say, in their order, but for the storing.
func (m *Manager) carryOut(now time.Time, p *plan, e effects) {
	r := p.r
	before := r.state.split()
	r.state = p.next
	r.revision = p.next.Revision
	r.changed = true
	budget := r.evidence.service.Budget()
	for _, a := range p.actions {
		switch a.Kind {
		case ActionStoreFirst, ActionStore: // commit does these
		case ActionRevoke: // commit has done it, for all at once
		case ActionSplit:
			m.setSplit(now, r, before, a.Split, e)
		case ActionStartOver:
			r.startOver(now)
		case ActionRenew:
			r.renew(now)
		case ActionNewStep:
			r.newStep(now)
		case ActionArm:
			m.arm(r, nil)
			m.listen(r)
		case ActionSetLimit:
			if budget.SetLimits(limitsOf(&p.next.Policy.Budget)) {
				m.signal()
			}
		case ActionEnd:
			budget.Disarm()
			r.evidence.close()
			if !p.has(ActionStoreFirst) { // otherwise it is stored already
				e.owe(r, m.ending(p))
			}
		case ActionAnnounce:
			if a.Event.Kind == EventRolledBack {
				r.numbers.Rollbacks[a.Event.Trigger]++
			}
			e.announce(a.Event)
		}
	}
}

// signal wakes the loop; it never blocks.
func (m *Manager) signal() {
	select {
	case m.wake <- struct{}{}:
	default: // it will wake up anyway
	}
}

// setSplit orders a split. The counters are opened before: no request of the split may be missed or counted twice.
func (m *Manager) setSplit(now time.Time, r *runner, before, split Split, e effects) {
	if split.Weight != before.Weight {
		r.numbers.WeightChanges++
	}
	if r.state.Phase.exposing() {
		r.count()
		r.evidence.open(split)
		if split.reweighs(before) {
			r.judge.WeightChanged(now)
		}
	}
	m.order(r, split, e)
}

// order hands a split over, and remembers it when it was not taken.
func (m *Manager) order(r *runner, split Split, e effects) {
	err := e.split(split)
	r.unapplied = err != nil
	if err != nil {
		m.options.Logger.Error("a split was not applied and will be tried again",
			zap.String("service", r.name), zap.Uint64("revision", split.Revision), zap.Error(err))
	}
}

// startOver forgets the evidence. The settings are those of the policy in force now.
func (r *runner) startOver(now time.Time) {
	r.retune()
	r.judge.StartOver(now)
}

// newStep starts the counts of a step. A changed policy has come into force.
func (r *runner) newStep(now time.Time) {
	r.retune()
	r.judge.NewStep(now)
	r.state.Verdict = r.judge.Verdict() // the counts of the step before are not this one's, also while nobody comes
	r.evidence.poll.NewStep(r.evidence.service.Voters(), now)
	r.evidence.users = 0
}

// retune gives the judge the settings of the policy in force. Evidence about a check that is another one now is lost, and
// nothing else.
func (r *runner) retune() {
	want := r.state.settings()
	if r.settings != nil && sameSettings(r.settings, &want) {
		return
	}
	judge, err := analysis.Restore(want, r.judge.State())
	if err != nil { // a judge's own state is always valid
		judge = analysis.NewJudge(want)
	}
	r.judge, r.settings = judge, &want
}

// announce tells the subscribers and the log, which counts steps from 1 and leaves out what there is not.
func (m *Manager) announce(e Event) {
	fields := []zap.Field{
		zap.String("service", e.Service), zap.String("rollout", e.Rollout), zap.Stringer("phase", e.Phase),
		zap.Int("step", e.Step+1), zap.Stringer("weight", e.Weight),
	}
	for _, f := range [...]struct{ name, text string }{{"reason", e.Reason}, {"numbers", e.Numbers}, {"actor", e.Actor}} {
		if f.text != "" {
			fields = append(fields, zap.String(f.name, f.text))
		}
	}
	m.options.Logger.Info("rollout "+string(e.Kind), fields...)
	m.hub.publish(e)
}
