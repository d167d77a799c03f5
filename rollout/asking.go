package rollout

import (
	"slices"
	"strings"
	"time"
)

// Questions are what the hooks of all rollouts are to be asked now. The same one is there until it is answered.
func (m *Manager) Questions(now time.Time) []Question {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Question
	for _, r := range m.runners { // of many services few have hooks: it is the questions that are sorted
		if r.awake() {
			list = append(list, r.state.questions(now)...)
		}
	}
	slices.SortStableFunc(list, func(a, b Question) int { return strings.Compare(a.Service, b.Service) })
	return list
}

// Answer tells a rollout what a hook has said. One that came too late changes nothing.
func (m *Manager) Answer(a Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.runners[a.Service]
	if r == nil || !r.awake() {
		return
	}
	now := time.Now()
	p := &plan{r: r}
	p.next, p.actions = answered(r.state, now, a)
	r.changed = true
	plans := []*plan{p}
	if p.next.Phase == PhaseRolledBack { // its release goes with it, and does not wait for the store
		p.seen = still(&r.state, m.others(r))
		plans = m.united(now, plans)
	}
	m.settle(now, plans)
	m.signal()
}

// About is what a hook is told of the rollout of a service; false without one.
func (m *Manager) About(service string) (Question, bool) {
	_, state, known := m.withState(service, time.Now())
	if !known {
		return Question{}, false
	}
	return state.question("", "", 0), true
}
