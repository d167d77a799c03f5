package rollout

import (
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// tie is how the spent budget of one member of a release reaches the others without the manager's lock.
type tie struct {
	mates atomic.Pointer[[]mate] // those under way with it
	fell  atomic.Pointer[string] // the member whose budget took this one out; nil for none
}

// mate is another member.
type mate struct {
	service string
	tie     *tie
}

// trip takes the other members out of service. It may run on the goroutine of a request.
func (t *tie) trip(service string, s Splitter) {
	mates := t.mates.Load()
	if mates == nil {
		return
	}
	for _, m := range *mates {
		m.tie.fell.Store(&service)
		s.Revoke(m.service)
	}
}

// releasesOf are the services of each release.
func releasesOf(specs []Spec) map[string][]string {
	all := make(map[string][]string)
	for i := range specs {
		if name := specs[i].Release; name != "" {
			all[name] = append(all[name], specs[i].Service)
		}
	}
	for _, services := range all {
		slices.Sort(services)
	}
	return all
}

// unitOf are the runners of a release, by service, or the one that is released alone.
func (m *Manager) unitOf(r *runner) []*runner {
	if r.state.Spec.Release == "" {
		return []*runner{r}
	}
	var list []*runner
	for _, name := range m.releases[r.state.Spec.Release] {
		if mate := m.runners[name]; mate != nil && mate.awake() {
			list = append(list, mate)
		}
	}
	return list
}

// find is the rollout of a service that is in force; nil without one.
func (m *Manager) find(service string) *State {
	if r := m.runners[service]; r != nil && r.awake() {
		return &r.state
	}
	return nil
}

// others is what a rollout is told of others.
func (m *Manager) others(r *runner) others {
	s := &r.state
	if !s.related() {
		return others{}
	}
	o := surroundings(s, m.releases[s.Spec.Release], m.find)
	if r.tie == nil || !s.Phase.exposing() {
		return o
	}
	if name := r.tie.fell.Load(); name != nil {
		o.order, o.why = orderFall, *name+", of the same release, has spent its budget"
	}
	return o
}

// show is the view of a rollout among others.
func (m *Manager) show(r *runner, now time.Time) View {
	v := r.state.View(now)
	o := m.others(r)
	v.relate(&r.state, &o)
	return v
}

// united lets each release decide about the plans of its members, and adds plans for those that have none.
func (m *Manager) united(now time.Time, plans []*plan) []*plan {
	if len(m.releases) == 0 {
		return plans
	}
	known := make(map[*runner]*plan, len(plans))
	releases := make(map[string]*runner)
	for _, p := range plans {
		known[p.r] = p
		if name := p.r.state.Spec.Release; name != "" {
			releases[name] = p.r
		}
	}
	for _, one := range releases {
		plans = m.unite(now, plans, known, m.unitOf(one))
	}
	return plans
}

// unite is united for one release.
func (m *Manager) unite(now time.Time, plans []*plan, known map[*runner]*plan, unit []*runner) []*plan {
	list := make([]proposal, len(unit))
	for i, r := range unit {
		list[i] = proposal{was: r.state, next: r.state, seen: still(&r.state, m.others(r))}
		if p := known[r]; p != nil {
			list[i].seen, list[i].next, list[i].actions = p.seen, p.next, p.actions
		}
	}
	unite(now, list)
	for i, r := range unit {
		p := known[r]
		if p == nil {
			if len(list[i].actions) == 0 && list[i].next.gate().Asking == r.state.gate().Asking {
				continue // it was decided before, and still is
			}
			p = &plan{r: r}
			plans = append(plans, p)
		}
		p.seen, p.next, p.actions = list[i].seen, list[i].next, list[i].actions
	}
	return plans
}

// ordered are the plans of a command; the first is that of the runner it was given to.
func (m *Manager) ordered(now time.Time, r *runner, c Command) ([]*plan, error) {
	list, err := applyAll(r.state, now, c, m.others(r))
	if err != nil {
		return nil, err
	}
	plans := make([]*plan, len(list))
	for i := range list {
		p := &list[i]
		plans[i] = &plan{
			r: m.runners[p.was.Spec.Service], next: p.next, actions: p.actions, audit: audited(now, &c, &p.was, &p.next),
		}
	}
	return plans, nil
}

// revokeAll takes the canaries of all plans that roll back out of service, before anything else is done about any of them.
func (m *Manager) revokeAll(plans []*plan, e effects) {
	for _, p := range plans {
		if p.has(ActionRevoke) {
			e.revoke(p.r.name)
		}
	}
}

// wholes are plans in groups of which all are stored, or none.
func wholes(plans []*plan) [][]*plan {
	var groups [][]*plan
	place := make(map[string]int)
	for _, p := range plans {
		name := p.next.Spec.Release
		i, there := place[name]
		if name == "" || !there {
			i = len(groups)
			groups = append(groups, nil)
			place[name] = i
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// drafts are the records of plans. Where one of a group cannot be written, none is.
func (m *Manager) drafts(now time.Time, groups [][]*plan, after []*plan) []draft {
	var all []draft
	for _, group := range groups {
		list, err := m.draftAll(now, group)
		if err != nil {
			for _, p := range group {
				p.err = err
			}
			continue
		}
		all = append(all, list...)
	}
	for _, p := range after {
		d, err := m.draft(p, now)
		if err != nil {
			m.options.Logger.Error("the state of a rollout cannot be written", zap.String("service", p.r.name), zap.Error(err))
			continue
		}
		all = append(all, d)
	}
	return all
}

func (m *Manager) draftAll(now time.Time, group []*plan) ([]draft, error) {
	list := make([]draft, 0, len(group))
	for _, p := range group {
		d, err := m.draft(p, now)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// trippedMeanwhile ends the budgets of rollouts that are about to be promoted. It returns those that must not be, because
// their budget, or that of one they are released with, was spent while the promotion was being stored: then their canaries are
// out of service already.
func trippedMeanwhile(plans []*plan) map[*plan]bool {
	tripped := make(map[*plan]bool)
	for _, group := range wholes(plans) {
		one := false
		for _, p := range group {
			if p.err == nil && p.has(ActionEnd) && p.r.evidence.service.Budget().Disarm() {
				one = true
			}
		}
		for _, p := range group {
			tripped[p] = one
		}
	}
	return tripped
}

// bindBudgets lets a spent budget reach the whole release.
func (m *Manager) bindBudgets() {
	for release := range m.releases {
		for _, name := range m.releases[release] {
			r := m.runners[name]
			if r == nil || r.tie == nil {
				continue
			}
			var mates []mate
			for _, other := range m.releases[release] {
				o := m.runners[other]
				if o != nil && o != r && o.tie != nil && o.awake() && o.state.Phase.exposing() && bonded(&r.state, &o.state) {
					mates = append(mates, mate{other, o.tie})
				}
			}
			r.tie.mates.Store(&mates)
		}
	}
}
