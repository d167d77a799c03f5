package rollout

import (
	"fmt"
	"slices"
	"strings"

	"haldane/config"
)

// wait is what another service still has to do.
type wait struct {
	// Service is the other one, Kind the kind of thing that is missing: the words below.
	Service string   `json:"service"`
	Kind    waitKind `json:"kind"`
	// Text says it for people, and begins with the service.
	Text string `json:"text"`
}

// waitKind is why another service is waited for.
type waitKind string

const (
	waitPending    waitKind = "pending"     // it has not begun
	waitUnderWay   waitKind = "under_way"   // it is not promoted yet
	waitRolledBack waitKind = "rolled_back" // it will not be, unless a person does something
	waitOverridden waitKind = "overridden"  // an operator has taken it back
	waitStart      waitKind = "start"       // it waits for the start command
	waitStep       waitKind = "step"        // it is not done with its step
)

// stuck says whether only a person can end it.
func (w *wait) stuck() bool {
	return w.Kind == waitRolledBack || w.Kind == waitOverridden || w.Kind == waitStart
}

// awaits lists what others must have done before a rollout may begin: whom it comes after, and its release.
func (s *State) awaits(o *others) []wait {
	var list []wait
	for _, d := range o.before {
		if w, missing := d.awaited(); missing {
			list = append(list, w)
		}
	}
	for _, mate := range o.mates {
		name := mate.Spec.Service
		switch {
		case mate.Phase.exposing():
			list = append(list, wait{name, waitUnderWay, fmt.Sprintf("%s: the release %s is under way without %s, %s",
				name, s.Spec.Release, s.Spec.Service, mate.position())})
		case mate.Phase == PhaseRolledBack && !mate.Unit.Blameless:
			list = append(list, wait{name, waitRolledBack, fmt.Sprintf("%s, of the release %s, was rolled back: %s; retry starts all of it",
				name, s.Spec.Release, mate.Reason)})
		case s.gate().Ordered != nil: // by a command that started all of it
		case mate.Phase != PhasePromoted && mate.Spec.Start == config.StartManual && s.Spec.Start != config.StartManual:
			list = append(list, wait{name, waitStart, name + ", of the same release, waits for the start command"})
		}
	}
	return list
}

// awaited says what the rollout has to do before those that come after it may begin.
func (s *State) awaited() (w wait, missing bool) {
	name := s.Spec.Service
	switch {
	case s.Phase == PhasePending && s.Spec.Start == config.StartManual:
		return wait{name, waitPending, name + ": pending, it waits for the start command"}, true
	case s.Phase == PhasePending:
		return wait{name, waitPending, name + ": pending"}, true
	case s.Phase.exposing():
		return wait{name, waitUnderWay, name + ": " + s.position()}, true
	case s.Phase == PhaseRolledBack:
		return wait{name, waitRolledBack, fmt.Sprintf("%s, which was rolled back: %s", name, s.Reason)}, true
	case s.undone():
		return wait{name, waitOverridden, fmt.Sprintf("%s, whose traffic an operator sends to %s", name, s.Override)}, true
	}
	return wait{}, false
}

// undone says whether an operator has taken a promoted canary back.
func (s *State) undone() bool {
	return s.Phase == PhasePromoted && s.Override != "" && s.Override != s.Spec.Canary
}

// position is where a rollout is, for those who wait for it: "step 2 of 4", or "baking", and what stops it.
func (s *State) position() string {
	text := fmt.Sprintf("step %d of %d", s.Step+1, len(s.Policy.Steps))
	if s.Bake {
		text = "baking"
	}
	switch {
	case s.Phase == PhasePaused:
		text += fmt.Sprintf(", paused (%s)", s.Pause)
	case s.Hold != "":
		text += fmt.Sprintf(", held (%s)", s.Hold)
	}
	return text
}

// noteWaits writes down what a pending rollout waits for. That another service goes on is no event.
func (c *change) noteWaits(list []wait) {
	same := slices.EqualFunc(c.s.Unit.Waits, list, func(a, b wait) bool { return a.Service == b.Service && a.stuck() == b.stuck() })
	c.s.Unit.Waits = list
	if len(list) == 0 {
		if !same {
			c.s.Reason = "what it waited for is done"
		}
		return
	}
	c.s.Reason = "waits for " + joined(list)
	if !same {
		c.event(EventWaiting, cause{reason: c.s.Reason})
	}
}

// nextOfUnit is next for a rollout that others keep from beginning.
func (s *State) nextOfUnit() (text string, waits []string, person bool) {
	waits = s.Unit.texts()
	if s.Spec.Start == config.StartManual {
		waits = append(waits, "the start command")
	}
	return "the first step", waits, slices.ContainsFunc(s.Unit.Waits, func(w wait) bool { return w.stuck() })
}

// texts are the waits for people.
func (u *unit) texts() []string {
	list := make([]string, 0, len(u.Waits))
	for i := range u.Waits {
		list = append(list, u.Waits[i].Text)
	}
	return list
}

// joined are waits in one line.
func joined(list []wait) string {
	u := unit{Waits: list}
	return strings.Join(u.texts(), "; ")
}
