package rollout

import (
	"fmt"
	"slices"
	"time"
)

// Action is one thing that must be done about a transition. The actions of a transition are done in their order.
type Action struct {
	// Kind says what.
	Kind ActionKind
	// Split is the one to order; only with ActionSplit.
	Split Split
	// Event is the one to announce; only with ActionAnnounce.
	Event Event
}

// ActionKind says what must be done.
type ActionKind uint8

// The kinds of actions.
const (
	// ActionStoreFirst stores the new state. If that fails, nothing of the transition may be done: the old state holds, and
	// notStored says so.
	ActionStoreFirst ActionKind = iota + 1
	// ActionStore stores the new state. A failure is logged, and made up for by a later checkpoint.
	ActionStore
	// ActionRevoke takes the canary out at once.
	ActionRevoke
	// ActionSplit orders a split.
	ActionSplit
	// ActionStartOver forgets the evidence.
	ActionStartOver
	// ActionRenew forgets the evidence of the checks of the whole service, not of those of its parts.
	ActionRenew
	// ActionNewStep starts the counts of a step.
	ActionNewStep
	// ActionArm begins the budget with what the state says is spent.
	ActionArm
	// ActionSetLimit changes the limits of the budget.
	ActionSetLimit
	// ActionEnd ends the budget and the judging: the rollout is decided.
	ActionEnd
	// ActionAnnounce tells subscribers and the log.
	ActionAnnounce
)

// String is the word for the kind.
func (k ActionKind) String() string {
	words := [...]string{
		"none", "store_first", "store", "revoke", "split", "start_over", "renew", "new_step", "arm", "set_limit", "end", "announce",
	}
	if int(k) < len(words) {
		return words[k]
	}
	return words[0]
}

// change is a transition in the making: the state, and what has come together to be done.
type change struct {
	s      State
	now    time.Time
	before Split
	was    Phase
	inner  []ActionKind // what must be done besides store, split and announce, in order
	events []Event
	// recounts says that requests count as something else from here on. They must not be mixed with those before.
	recounts bool
	// others is what is known of other rollouts.
	others others
}

func begin(s State, now time.Time) *change {
	return &change{s: s, now: now, before: s.split(), was: s.Phase}
}

// must panics unless the rollout is in one of the phases: a transition that is not possible is a bug of the caller.
func (c *change) must(what string, phases ...Phase) {
	if !slices.Contains(phases, c.s.Phase) {
		panic(fmt.Sprintf("rollout: %s of %q in phase %s", what, c.s.Spec.Service, c.s.Phase))
	}
}

// also adds something to be done.
func (c *change) also(k ActionKind) { c.inner = append(c.inner, k) }

// cause is who or what brought a transition about.
type cause struct {
	reason  string // for people
	numbers string // the figures behind it
	actor   string // empty for Haldane itself
	trigger Trigger
}

// event adds an event to the history. It is the last thing a transition does, because it says what holds after it.
func (c *change) event(kind EventKind, why cause) {
	c.s.Sequence++
	e := Event{
		Sequence: c.s.Sequence, Time: c.now, Service: c.s.Spec.Service, Rollout: drawID(c.s.ID, c.s.Attempt),
		Kind: kind, Phase: c.s.Phase, Step: c.s.Step, Weight: c.s.split().Weight,
		Reason: why.reason, Numbers: why.numbers, Actor: why.actor, Trigger: why.trigger,
	}
	if c.s.Phase.exposing() {
		e.StepName, e.Stage = c.s.stageName(), c.s.stage().Stage
	}
	c.s.History = remember(c.s.History, e)
	c.events = append(c.events, e)
}

// finish puts what must be done in its order: whatever exposes more users is stored first, whatever exposes fewer is
// done first.
func (c *change) finish() (State, []Action) {
	after := c.s.split()
	moved := after.differs(c.before) || c.recounts && c.s.Phase.exposing()
	if moved {
		c.s.Revision++
		after.Revision = c.s.Revision
	}
	if !moved && len(c.inner) == 0 && len(c.events) == 0 {
		return c.s, nil
	}
	raises := moved && after.raises(c.before)
	var list []Action
	add := func(k ActionKind) { list = append(list, Action{Kind: k}) }
	if raises {
		add(ActionStoreFirst)
	}
	if after.RolledBack && !c.before.RolledBack {
		add(ActionRevoke)
	}
	for _, k := range c.inner {
		if raises { // the counters must stand before the first request comes
			add(k)
		}
	}
	if moved {
		list = append(list, Action{Kind: ActionSplit, Split: after})
	}
	for _, k := range c.inner {
		if !raises {
			add(k)
		}
	}
	if !raises {
		add(ActionStore)
	}
	for _, e := range c.events {
		list = append(list, Action{Kind: ActionAnnounce, Event: e})
	}
	return c.s, list
}
