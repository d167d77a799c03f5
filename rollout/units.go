package rollout

import (
	"fmt"
	"slices"
	"time"
)

// A rollout may have to do with others in two ways. It comes after the rollouts of services that its own depends on
// (Spec.After): it begins when all of them are promoted, and takes no step while one of them is released anew or was rolled
// back. And it may be released with others as one (Spec.Release): they begin together, take each step together and end
// together. What each member sees of the others comes with its observation (others); what is decided for all of them is
// decided by unite.

// unit is what a rollout remembers of its relations.
type unit struct {
	// Bonds are the rollouts that began together as one release, with this one, sorted by service; empty for none.
	Bonds []bond `json:"bonds,omitempty"`
	// Blameless says that it was rolled back for nothing but another member of its release.
	Blameless bool `json:"blameless,omitempty"`
	// Done says that it is done with its step, or pending and ready, and only the release is missing.
	Done bool `json:"done,omitempty"`
	// Waits is what other services still have to do.
	Waits []wait `json:"waits,omitempty"`
	// Hold and HoldText say why its clock stands still for others; empty when it need not.
	Hold     Hold   `json:"hold,omitempty"`
	HoldText string `json:"hold_text,omitempty"`
}

// bond is a rollout of the release.
type bond struct {
	Service string `json:"service"`
	Rollout string `json:"rollout"`
}

// tied says whether the rollout has to do with others.
func (s *Spec) tied() bool { return s.Release != "" || len(s.After) > 0 }

// related says whether the rollout has, or had when it began, to do with others.
func (s *State) related() bool { return s.Spec.tied() || len(s.Unit.Bonds) > 0 }

// bound says whether it is under way with others.
func (s *State) bound() bool { return s.Spec.Release != "" && len(s.Unit.Bonds) > 1 }

// bonded says whether two rollouts are under way, or ended, as one.
func bonded(a, b *State) bool {
	return a.bound() && a.Spec.Release == b.Spec.Release && slices.Equal(a.Unit.Bonds, b.Unit.Bonds)
}

// others is what a rollout is told of the rest of the world, at each look.
type others struct {
	// before are the rollouts of the services that it, or its release, comes after; mates those that name the same release.
	before, mates []*State
	// gone says which rollout that it began with is no more, and why; empty for none.
	gone string
	// order is what the release has decided, why says what for.
	order order
	why   string
}

// order is what a release tells its members.
type order uint8

const (
	orderNone  order = iota // stay on the step
	orderReady              // another member is ready to begin: ask what has to be asked before this one may begin again
	orderGo                 // begin, or take the step
	orderPause              // another member waits for a person
	orderFall               // another member was rolled back
)

// surroundings is what a rollout has to know of others. find is the rollout of a service, nil without one; members are the
// services that name the same release.
func surroundings(s *State, members []string, find func(service string) *State) others {
	var o others
	names := slices.Clone(s.Spec.After)
	for _, member := range members {
		mate := find(member)
		if member == s.Spec.Service || mate == nil {
			continue
		}
		o.mates = append(o.mates, mate)
		names = append(names, mate.Spec.After...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if d := find(name); d != nil && !slices.Contains(members, name) {
			o.before = append(o.before, d)
		}
	}
	if !s.bound() {
		return o
	}
	for _, b := range s.Unit.Bonds {
		switch d := find(b.Service); {
		case d == nil:
			o.gone = b.Service + " is no longer released"
		case drawID(d.ID, d.Attempt) != b.Rollout:
			o.gone = b.Service + " has another rollout now"
		case d.Spec.Release == s.Spec.Release && !bonded(s, d):
			o.gone = fmt.Sprintf("%s is %s, and not as a part of it", b.Service, d.Phase)
		}
	}
	return o
}

// await begins a pending rollout, if others let it. A release begins by its own order.
func (c *change) await() {
	c.noteWaits(c.s.awaits(&c.others))
	ready := len(c.s.Unit.Waits) == 0 && c.mayStore() && c.admitted()
	c.s.Unit.Done = c.s.Spec.Release != "" && ready
	switch {
	case ready && (c.s.Spec.Release == "" || c.others.order == orderGo):
		c.start(c.s.startCause())
	case ready && c.s.Hold != "": // at a gate that has opened, before those of the other members
		c.turn("", "")
	}
}

// hear takes what others do to a rollout that has begun: what stops its clock.
func (c *change) hear() {
	u := &c.s.Unit
	u.Done, u.Waits, u.Hold, u.HoldText = false, nil, "", ""
	for _, d := range c.others.before {
		w, missing := d.awaited()
		if missing && w.Kind != waitPending { // which changes nothing yet for whoever has begun
			u.Hold, u.HoldText = HoldDependency, "the rollout comes after "+w.Text
			return
		}
	}
	for _, mate := range c.others.mates {
		if bonded(&c.s, mate) && mate.Hold != "" && mate.Hold != HoldRelease && mate.Hold != HoldStore { // in which all are
			u.Hold = HoldRelease
			u.HoldText = fmt.Sprintf("%s, of the same release, is held: %s", mate.Spec.Service, mate.held(c.now))
			return
		}
	}
}

// waitsForRelease says whether a step that is done waits for the other members.
func (c *change) waitsForRelease() bool {
	if !c.s.bound() || c.others.order == orderGo {
		return false
	}
	if c.s.Hold == HoldStore && c.mayStore() {
		c.noStore()
	}
	c.s.Unit.Done = true
	for _, mate := range c.others.mates {
		if bonded(&c.s, mate) && !mate.Unit.Done {
			c.s.Unit.Waits = append(c.s.Unit.Waits, mate.unfinished(c.now))
		}
	}
	return true
}

// unfinished says what the member of a release still needs for its step.
func (s *State) unfinished(now time.Time) wait {
	text := s.Spec.Service + ": " + s.position()
	if waits := s.waits(now); len(waits) > 0 && s.Phase != PhasePaused {
		text += ", " + waits[0]
	}
	return wait{s.Spec.Service, waitStep, text}
}

// reset forgets what was true of the step, or of the wait for the first one.
func (u *unit) reset() { *u = unit{Bonds: u.Bonds} }

// fall rolls back what another member of the release takes down.
func (c *change) fall() {
	blameless := c.s.Pause != PauseFailed && !c.s.failing(&c.s.Verdict)
	why := cause{reason: c.others.why, numbers: c.s.Verdict.Sentence(), trigger: TriggerRelease}
	if !blameless {
		why.reason += "; " + c.s.whatFailed(c.s.Verdict) + " as well"
	}
	c.rollBack(why)
	c.s.Unit.Blameless = blameless
}
