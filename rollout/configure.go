package rollout

import (
	"fmt"
	"time"

	"go.uber.org/zap"

	"haldane/analysis"
	"haldane/store"
)

// Configure takes the rollouts that a configuration asks for: at the start, and at each reload. Rollouts that are known go on,
// new ones begin, others end. It then calls apply with the split of every service that has a rollout, while no other
// split is ordered; apply puts the configuration in force with exactly these. After a restart the stored evidence has been
// judged by then. If apply fails, everything is as it was before, and its error is returned.
//
// A store that fails is no error: what cannot be stored is not begun, and says so.
func (m *Manager) Configure(now time.Time, specs []Spec, apply func([]Split) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := make(map[string]runner, len(m.runners))
	for name, r := range m.runners {
		before[name] = *r
	}
	var events []Event
	var ended []func()
	e := effects{
		revoke:   func(string) {}, // apply does it: the split says that it is rolled back
		split:    func(Split) error { return nil },
		announce: func(e Event) { events = append(events, e) },
		owe:      func(r *runner, e []store.Ending) { ended = append(ended, func() { r.owe(e, nil) }) },
	}
	releases := m.releases
	m.drop(now, specs, e)
	begun := make([]bool, len(specs))
	for i := range specs {
		begun[i] = m.want(now, &specs[i], e)
	}
	m.releases = releasesOf(specs)
	plans := make([]*plan, 0, len(specs))
	for i := range specs {
		plans = append(plans, m.begin(now, m.runners[specs[i].Service], begun[i]))
	}
	plans = m.united(now, plans)
	m.commitWith(now, plans, e)
	for _, p := range plans {
		if p.err != nil {
			m.stay(now, p, e)
		}
	}
	if err := m.store(); err != nil {
		m.options.Logger.Error("store the configured rollouts", zap.Error(err))
	}
	m.bindBudgets()
	if err := apply(m.splits()); err != nil {
		m.releases = releases
		m.restore(before)
		m.bindBudgets()
		return fmt.Errorf("apply the splits: %w", err)
	}
	for _, event := range events {
		m.announce(event)
	}
	m.conclude(ended)
	m.forget(now)
	return nil
}

// conclude stores the reports of rollouts that a configuration has ended, now that it is in force. From here on a lost state
// is lost for good: what follows from it is stored, or will be said again by the next process.
func (m *Manager) conclude(ended []func()) {
	for _, owe := range ended {
		owe()
	}
	err := m.store()
	if err == nil && m.lost != nil {
		err = m.options.Store.Accept()
	}
	m.lost = nil
	if err != nil {
		m.options.Logger.Error("store what the configuration has ended", zap.Error(err))
	}
}

// splits are those of all rollouts.
func (m *Manager) splits() []Split {
	list := []Split{}
	for _, r := range m.sorted() {
		if r.awake() {
			list = append(list, r.state.split())
		}
	}
	return list
}

// drop ends the rollouts that the configuration does not name any more.
func (m *Manager) drop(now time.Time, specs []Spec, e effects) {
	named := make(map[string]bool, len(specs))
	for i := range specs {
		named[specs[i].Service] = true
	}
	for _, r := range m.sorted() {
		if named[r.name] {
			continue
		}
		if r.running {
			m.leave(now, r, cause{reason: "the configuration names no canary any more"}, e)
		}
		r.asleep = false
	}
}

// leave ends the rollout of a runner.
func (m *Manager) leave(now time.Time, r *runner, why cause, e effects) {
	if r.awake() && r.state.Phase.Live() {
		// What has been seen but not yet looked at may end it in another way.
		if p := m.step(r, now); p.next.Phase == PhaseRolledBack {
			m.carryOut(now, p, e)
		}
	}
	r.evidence.attach(m.options.Stats, &r.state.Spec)
	state, actions := superseded(r.state, now, why)
	m.carryOut(now, &plan{r: r, next: state, actions: actions}, e)
	r.former = bury(r.former, &state, now)
	r.evidence.service.SetKinds(nil)
	r.evidence.service.SetMeasures(nil)
	r.running, r.judge, r.settings, r.restored = false, nil, nil, nil
	r.changed = true
}

// want makes the runner of a spec fit it. It says whether a first step is still to be made.
func (m *Manager) want(now time.Time, spec *Spec, e effects) (begins bool) {
	r := m.runners[spec.Service]
	if r == nil {
		r = &runner{name: spec.Service, numbers: newNumbers()}
		m.runners[spec.Service] = r
	}
	var b birth
	if r.running && r.state.ID != spec.ID() {
		if r.state.Override != r.state.Spec.Canary {
			b.override = r.state.Override // an operator's order outlives the rollout it was given in
		}
		m.leave(now, r, cause{reason: fmt.Sprintf("the configuration names another rollout: %s to %s", spec.Stable, spec.Canary)}, e)
		b.series = r.state.bequest(spec)
		r.asleep = false
	}
	fresh := !r.running
	if fresh {
		m.create(now, r, *spec, b, e)
	}
	r.evidence.attach(m.options.Stats, spec)
	state, actions := configured(r.state, now, *spec)
	m.carryOut(now, &plan{r: r, next: state, actions: actions}, e)
	r.count()
	woken := r.asleep && !fresh
	if woken {
		m.awaken(now, r, e)
	}
	r.asleep, r.unread, r.changed = false, nil, true
	if begins = (fresh || woken) && r.state.Phase.Live(); !begins && r.evidence.reader == nil && r.state.Phase.exposing() {
		r.evidence.open(r.state.split())
	}
	return begins
}

// begin is the first step of a rollout in this process: a new one starts, a restored one is judged before it gets a request.
// One that was there before stays where it is.
func (m *Manager) begin(now time.Time, r *runner, begins bool) *plan {
	p := &plan{r: r, next: r.state, seen: still(&r.state, m.others(r))}
	if !begins {
		return p
	}
	if r.state.Phase.exposing() {
		p.seen.Verdict = r.judge.Verdict()
	}
	p.next, p.actions = Step(r.state, now, p.seen)
	return p
}

// create makes the rollout of a spec that the runner does not know, or knew once.
func (m *Manager) create(now time.Time, r *runner, spec Spec, b birth, e effects) {
	old, known := find(r.former, spec.ID())
	b.revision, b.attempt = r.revision, 1
	if known {
		b.attempt = old.Attempt
	}
	var refused string
	switch {
	case m.lost != nil:
		refused = fmt.Sprintf("the stored state is lost: %v", m.lost)
	case r.unread != nil:
		refused = fmt.Sprintf("the stored state cannot be read: %v", r.unread)
	case known && old.Phase == PhaseRolledBack:
		refused = fmt.Sprintf("it was rolled back on %s: %s", old.Ended.UTC().Format(time.RFC3339), old.Reason)
	case known:
		refused = fmt.Sprintf("it was %s on %s and does not start again by itself", old.Phase, old.Ended.UTC().Format(time.RFC3339))
	}
	state, actions := created(spec, now, b, refused)
	want := state.settings()
	r.judge, r.settings = analysis.NewJudge(want), &want
	r.running = true
	r.evidence.attach(m.options.Stats, &spec)
	m.carryOut(now, &plan{r: r, next: state, actions: actions}, e)
}

// awaken takes up a stored rollout: its evidence, its budget, its counters.
func (m *Manager) awaken(now time.Time, r *runner, e effects) {
	want := r.state.settings()
	r.judge, r.settings = analysis.NewJudge(want), &want
	var lost error
	if r.restored != nil {
		judge, err := analysis.Restore(want, *r.restored)
		if err == nil {
			r.judge = judge
		}
		lost = err
	}
	r.restored = nil
	if lost != nil {
		m.options.Logger.Error("the stored evidence of a rollout cannot be read; its step starts again",
			zap.String("service", r.name), zap.Error(lost))
	}
	r.evidence.latency.handed = r.state.Ticked // what is stored has all latencies by then
	state, actions := reopened(r.state, now, lost)
	m.carryOut(now, &plan{r: r, next: state, actions: actions}, e)
	if state.Phase.exposing() {
		m.arm(r, r.crowd)
		r.crowd = nil
		r.evidence.open(state.split())
	}
}

// restore undoes a Configure that was not applied.
func (m *Manager) restore(before map[string]runner) {
	for name, r := range m.runners {
		stored, failed, numbers := r.stored, r.failed, r.numbers // what the store has and what was counted are not undone
		now := *r
		old := before[name]
		*r = old
		r.name, r.stored, r.failed, r.numbers, r.changed = name, stored, failed, numbers, true
		if old.awake() {
			r.count()
		} else if now.evidence.service != nil {
			now.evidence.service.SetKinds(nil)
			now.evidence.service.SetMeasures(nil)
		}
		if old.awake() && now.running && now.state.ID == old.state.ID && now.state.Revision == old.state.Revision {
			continue // its budget and its counters were not touched
		}
		if now.evidence.service != nil {
			now.evidence.service.Budget().Disarm()
			now.evidence.close()
		}
		if old.awake() && old.state.Phase.exposing() {
			m.arm(r, nil)
			r.evidence.open(old.state.split())
		}
	}
}

// forget deletes the records of services that nothing is to be remembered of.
func (m *Manager) forget(now time.Time) {
	var gone []string
	for name, r := range m.runners {
		if r.running {
			continue
		}
		r.former = prune(r.former, now)
		if len(r.former) == 0 && r.unread == nil {
			gone = append(gone, name)
		}
	}
	if err := m.saver.delete(gone); err != nil {
		m.options.Logger.Error("forget the rollouts of services that are gone", zap.Error(err))
		return
	}
	for _, name := range gone {
		delete(m.runners, name)
	}
}
