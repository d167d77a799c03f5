package rollout

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"haldane/store"
)

const (
	// tickEvery is how often rollouts are looked at.
	tickEvery = 250 * time.Millisecond
	// checkpointEvery is how often what changed is stored though nothing was decided.
	checkpointEvery = 5 * time.Second
)

// Run judges and moves all rollouts until the context is done, and then stores what has not been. It may be called again after
// it has returned, and goes on where it was.
func (m *Manager) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	m.stored = time.Now()
	for {
		select {
		case <-ctx.Done():
			return m.stop()
		case <-m.wake: // a budget was spent
		case <-ticker.C:
		}
		m.beat(time.Now())
	}
}

// beat is one turn of the loop. What is stored is everything that was seen by then. Latencies are handed over less often than
// the rest, but always with a checkpoint, whose parts of the clock begin with parts of theirs. So what a killed process forgets
// is what it saw after the checkpoint, and nothing else.
func (m *Manager) beat(now time.Time) {
	m.tick(now)
	if turned(m.stored, now, checkpointEvery) {
		m.stored = now
		m.checkpoint()
	}
}

// hurry lets the next look hand over everything.
func (m *Manager) hurry() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runners {
		r.evidence.latency.hurry()
	}
}

// tick looks at all rollouts that are not decided.
func (m *Manager) tick(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var plans []*plan
	for _, r := range m.runners {
		if !r.awake() {
			continue
		}
		if r.unapplied {
			m.order(r, r.state.split(), m.live())
		}
		if r.state.Phase.Live() && (r.state.related() || !r.coast(now)) {
			plans = append(plans, m.step(r, now))
		}
		if r.state.retryDue(now) {
			plans = append(plans, m.begin(now, r, true))
		}
	}
	m.settle(now, m.united(now, plans))
}

// look is a tick for one service, and for those that it is released with, so that a command meets what is known now.
func (m *Manager) look(r *runner, now time.Time) {
	var plans []*plan
	for _, r := range m.unitOf(r) {
		if r.state.Phase.Live() {
			r.evidence.latency.hurry() // the command may store a step
			plans = append(plans, m.step(r, now))
		}
	}
	m.settle(now, m.united(now, plans))
}

// step asks the core what to do about what was seen.
func (m *Manager) step(r *runner, now time.Time) *plan {
	p := &plan{r: r, seen: r.observe(now)}
	p.seen.Others = m.others(r)
	p.next, p.actions = Step(r.state, now, p.seen)
	return p
}

// settle makes transitions of the core. One that cannot be stored is a hold.
func (m *Manager) settle(now time.Time, plans []*plan) {
	var quiet, loud []*plan
	for _, p := range plans {
		if len(p.actions) == 0 {
			quiet = append(quiet, p)
		} else {
			loud = append(loud, p)
		}
	}
	for _, p := range quiet {
		p.r.changed = p.r.changed || p.next.Clock != p.r.state.Clock
		p.r.state = p.next
	}
	m.commit(now, loud)
	for _, p := range loud {
		if p.err != nil {
			m.stay(now, p, m.live())
		}
	}
}

// stay leaves a rollout where it is, and makes it say why.
func (m *Manager) stay(now time.Time, p *plan, e effects) {
	state, actions := notStored(p.r.state, now, p.seen, p.err)
	m.carryOut(now, &plan{r: p.r, next: state, actions: actions}, e)
}

// checkpoint stores what changed since it was stored, in one transaction.
func (m *Manager) checkpoint() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.store(); err != nil {
		m.options.Logger.Error("checkpoint of the rollouts", zap.Error(err))
	}
}

// store stores every service that changed.
func (m *Manager) store() error {
	var drafts []draft
	for _, r := range m.runners {
		if r.asleep || !r.changed {
			continue
		}
		value, err := encodeMemory(r.memory(&r.state))
		if err != nil {
			return err
		}
		drafts = append(drafts, draft{r: r, record: store.Record{
			Service: r.name, Value: value, Endings: r.owed.endings, Audit: r.owed.audit,
		}})
	}
	if err := m.saver.save(drafts); err != nil {
		return err
	}
	for _, d := range drafts {
		d.r.changed = false
	}
	return nil
}

// stop looks once more, so that nothing that was seen is forgotten, and stores for the last time.
func (m *Manager) stop() error {
	m.hurry()
	m.tick(time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.store()
	if err == nil {
		err = m.saver.drain()
	}
	if err != nil {
		return fmt.Errorf("store the rollouts at the end: %w", err)
	}
	return nil
}
