package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// proposal is what the core would do with one member of a release.
type proposal struct {
	was     State
	seen    Observation
	next    State
	actions []Action
}

// propose asks the core.
func propose(s State, now time.Time, o Observation) proposal {
	p := proposal{was: s, seen: o}
	p.next, p.actions = Step(s, now, o)
	return p
}

// again asks the core once more, with an order of the release.
func (p *proposal) again(now time.Time, what order, why string) {
	o := p.seen
	o.Others.order, o.Others.why = what, why
	p.next, p.actions = Step(p.was, now, o)
}

// still is an observation in which nothing was seen.
func still(s *State, o others) Observation {
	return Observation{Verdict: s.Verdict, Spent: s.Spent, Users: s.Users, Losses: s.Setbacks.Losses, Others: o}
}

// unite makes one decision of what the core proposes for the services that name one release, all of them: those that are
// under way go, stop and end together; those that are pending begin together. It changes the list.
func unite(now time.Time, list []proposal) {
	var rest []*proposal // neither under way nor promoted
	groups := make(map[string][]*proposal)
	for i := range list {
		p := &list[i]
		switch {
		case p.was.Phase.exposing() && p.was.bound():
			key := p.was.Unit.key()
			groups[key] = append(groups[key], p)
		case p.was.Phase.exposing(): // it began before it was in the release, and goes on alone
		case p.was.Phase != PhasePromoted:
			rest = append(rest, p)
		}
	}
	for _, group := range groups {
		move(now, group)
		storeAsOne(group)
	}
	if !slices.ContainsFunc(list, func(p proposal) bool { return p.was.Phase.exposing() }) {
		depart(now, rest)
	}
}

// key tells releases apart.
func (u *unit) key() string {
	var b strings.Builder
	for _, bond := range u.Bonds {
		b.WriteString(bond.Service + " " + bond.Rollout + "\n")
	}
	return b.String()
}

// depart begins a release when all its pending members are ready. Members that were rolled back for nothing but another one
// begin again with it: it has another canary now. One that was rolled back for itself keeps all from being ready.
func depart(now time.Time, rest []*proposal) {
	pending := false
	for _, p := range rest {
		switch {
		case p.next.Phase == PhasePending && p.next.Unit.Done:
			pending = true
		case p.was.Phase == PhaseRolledBack && p.was.Unit.Blameless: // begins with them
		default:
			return
		}
	}
	if !pending || !readmitted(now, rest) {
		return
	}
	for _, p := range rest {
		p.again(now, orderGo, "the release starts again")
	}
	bind(rest)
	storeAsOne(rest)
}

// readmitted says whether the gates of all members that were rolled back let them begin again, and asks their hooks when not.
func readmitted(now time.Time, rest []*proposal) bool {
	all := true
	for _, p := range rest {
		if p.was.Phase == PhaseRolledBack {
			p.again(now, orderReady, "")
			all = all && p.next.closed(now) == "" && p.next.startPoint() == ""
		}
	}
	return all
}

// bind makes one release of rollouts that begin together.
func bind(group []*proposal) {
	bonds := make([]bond, 0, len(group))
	for _, p := range group {
		bonds = append(bonds, bond{Service: p.next.Spec.Service, Rollout: drawID(p.next.ID, p.next.Attempt)})
	}
	slices.SortFunc(bonds, func(a, b bond) int { return strings.Compare(a.Service, b.Service) })
	for _, p := range group {
		p.next.Unit.Bonds = bonds
	}
}

// storeAsOne makes one transaction of what is done to a release: what one member may only do once it is stored, none does
// before. It is for one member alone that a step may expose nobody new, because of an override or of weights that are the same.
func storeAsOne(group []*proposal) {
	first := func(a Action) bool { return a.Kind == ActionStoreFirst }
	if !slices.ContainsFunc(group, func(p *proposal) bool { return slices.ContainsFunc(p.actions, first) }) {
		return
	}
	for _, p := range group {
		if len(p.actions) > 0 && !slices.ContainsFunc(p.actions, first) {
			rest := slices.DeleteFunc(slices.Clone(p.actions), func(a Action) bool { return a.Kind == ActionStore })
			p.actions = append([]Action{{Kind: ActionStoreFirst}}, rest...)
		}
	}
}

// move decides for the members of a release that is under way: all fall, all go, or all wait. What takes users off a canary
// comes first.
func move(now time.Time, group []*proposal) {
	if fall(now, group) {
		return
	}
	if ready(now, group) {
		advance(now, group)
	}
	for _, p := range group {
		if p.next.Phase == PhasePaused {
			halt(now, group, p)
			return
		}
	}
}

// fall rolls back everybody if anybody is, and whatever is not whole any more: nobody knows what a half of it does.
func fall(now time.Time, group []*proposal) bool {
	why := ""
	for _, p := range group {
		if p.next.Phase == PhaseRolledBack {
			why = fmt.Sprintf("%s, of the same release, was rolled back: %s", p.next.Spec.Service, p.next.Reason)
			break
		}
		if why == "" {
			why = p.broken(group[0])
		}
	}
	if why == "" {
		return false
	}
	for _, p := range group {
		if p.next.Phase != PhaseRolledBack {
			p.again(now, orderFall, why)
		}
	}
	return true
}

// broken says why the release cannot be what it was; empty when it is whole.
func (p *proposal) broken(first *proposal) string {
	if p.seen.Others.gone != "" {
		return "the release is not whole any more: " + p.seen.Others.gone
	}
	for _, mate := range p.seen.Others.mates {
		if bonded(&p.was, mate) && !mate.Phase.exposing() {
			return fmt.Sprintf("the release is not whole any more: %s is %s", mate.Spec.Service, mate.Phase)
		}
	}
	if p.was.Step != first.was.Step || p.was.Bake != first.was.Bake {
		return fmt.Sprintf("the release is not whole any more: %s is at %s, %s at %s",
			first.was.Spec.Service, first.was.position(), p.was.Spec.Service, p.was.position())
	}
	return ""
}

// ready says whether every member is done with its step, and may store the next one.
func ready(now time.Time, group []*proposal) bool {
	return !slices.ContainsFunc(group, func(p *proposal) bool {
		return !p.next.Unit.Done || p.was.Hold == HoldStore && now.Before(p.was.StoreRetry)
	})
}

// advance takes the step with all, or with nobody. First come those who have something to ask of a person.
func advance(now time.Time, group []*proposal) {
	gated := slices.ContainsFunc(group, func(p *proposal) bool { return p.was.gateReason() != "" })
	for _, p := range group {
		if !gated || p.was.gateReason() != "" {
			p.again(now, orderGo, "")
		}
	}
	if gated || together(group) {
		return
	}
	for _, p := range group {
		if p.next.Phase != PhasePaused {
			p.again(now, orderNone, "")
		}
	}
}

// together says whether all come to the same place.
func together(group []*proposal) bool {
	first := &group[0].next
	return !slices.ContainsFunc(group, func(p *proposal) bool {
		return p.next.Phase != first.Phase || p.next.Step != first.Step || p.next.Bake != first.Bake
	})
}

// halt lets everybody wait for the person that one waits for.
func halt(now time.Time, group []*proposal, paused *proposal) {
	why := fmt.Sprintf("%s, of the same release, is paused: %s", paused.next.Spec.Service, paused.next.PauseText)
	for _, p := range group {
		if p.next.Phase != PhasePaused {
			p.again(now, orderPause, why)
		}
	}
}
