package rollout

import (
	"fmt"
	"slices"
	"time"

	"haldane/config"
)

// A gate is what a rollout waits for besides the judge: a window, the end of a freeze, a hook's yes, a person's approval or
// checklist. Windows, freezes and hooks are those of the configuration, and not of the policy in force: what closes a gate holds at once.
// Gates bind Haldane, and freezes and checklists people as well, unless they force it. No gate delays a rollback.

// gates is what is known of the gates of one stage. It means nothing on another one, so that nobody has to clear it, nor when the
// rollout comes back to the same one.
type gates struct {
	// Attempt, Stage and Visit say where it belongs; see State.here.
	Attempt int `json:"attempt"`
	Stage   int `json:"stage"`
	Visit   int `json:"visit,omitempty"`
	// Asking is the point at whose hooks the rollout waits; empty for none.
	Asking string `json:"asking,omitempty"`
	// Hooks is what the hooks have answered.
	Hooks []hookState `json:"hooks,omitempty"`
	// Ticks are the items of the checklist that are done.
	Ticks []Tick `json:"ticks,omitempty"`
	// Ordered is a person's start that waits for hooks.
	Ordered *startOrder `json:"ordered,omitempty"`
}

// startOrder is who ordered a start, and why.
type startOrder struct {
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// The stages that are no steps. Steps count from 1.
const (
	stageStart = 0
	stageBake  = -1
	stageEnd   = -2
)

// Place is where a rollout is: what belongs to another place counts for nothing.
type Place struct {
	// Rollout is the id of the attempt.
	Rollout string `json:"rollout"`
	// Stage is the step from 1, 0 before the first one, -1 in the bake and -2 after the end.
	Stage int `json:"stage"`
	// Visit counts how often the rollout went back to a stage, by a step back or a changed policy: what was meant for the stage
	// before that is not meant for it now.
	Visit int `json:"visit,omitempty"`
}

// here is the attempt and the stage that the rollout is on.
func (s *State) here() (attempt, stage int) {
	switch {
	case s.Phase == PhasePending:
		return s.Attempt, stageStart
	case !s.Phase.exposing():
		return s.Attempt, stageEnd
	case s.Bake:
		return s.Attempt, stageBake
	}
	return s.Attempt, s.Step + 1
}

// place is the same for those outside.
func (s *State) place() Place {
	_, stage := s.here()
	return Place{Rollout: drawID(s.ID, s.Attempt), Stage: stage, Visit: s.Visits}
}

// gate is what is known of the gates here.
func (s *State) gate() gates {
	attempt, stage := s.here()
	if s.Gates.Attempt == attempt && s.Gates.Stage == stage && s.Gates.Visit == s.Visits {
		return s.Gates
	}
	return gates{Attempt: attempt, Stage: stage, Visit: s.Visits}
}

// setGate replaces it. Lists are shared between states and never written to.
func (c *change) setGate(with func(*gates)) {
	g := c.s.gate()
	with(&g)
	c.s.Gates = g
}

// closed says whether a freeze or the windows forbid a step now.
func (s *State) closed(now time.Time) Hold {
	switch {
	case s.frozen(now) != nil:
		return HoldFreeze
	case !s.inWindow(now):
		return HoldWindow
	}
	return ""
}

// pendingHold says why a rollout may not begin now; empty when it may. What a person has ordered asks neither the windows nor whether
// it shall begin.
func (s *State) pendingHold(now time.Time) Hold {
	hold := s.closed(now)
	if hold == HoldWindow && s.gate().Ordered != nil {
		hold = ""
	}
	if hold == "" && s.startPoint() != "" {
		hold = HoldHook
	}
	return hold
}

// startPoint is the first point before the start at which a hook has not said yes; empty for none.
func (s *State) startPoint() string {
	points := []string{config.HookConfirmRollout, config.HookPreRollout, config.HookConfirmTrafficIncrease}
	g := s.gate()
	if g.Ordered != nil {
		points = points[1:]
	}
	for _, point := range points {
		if s.unconfirmed(&g, point) != nil {
			return point
		}
	}
	return ""
}

// admitted says whether a pending rollout may begin, and makes it say why not.
func (c *change) admitted() bool {
	if c.s.Phase == PhasePending && c.s.Spec.Start == config.StartManual && c.s.gate().Ordered == nil {
		return false
	}
	hold := c.s.pendingHold(c.now)
	if hold == HoldHook {
		if point := c.s.startPoint(); point != c.s.gate().Asking {
			c.setGate(func(g *gates) { g.Asking = point })
		}
	}
	if hold == "" {
		return true
	}
	c.turn(hold, c.s.gateText(hold, c.now))
	return false
}

// turn lets the clock stand still for a reason, or run for none. Who closes a gate makes what hooks have said before old.
func (c *change) turn(hold Hold, text string) {
	was := c.s.Hold
	c.s.Hold, c.s.HoldText = hold, text
	if hold == HoldFreeze || hold == HoldWindow {
		c.forgetYes()
	}
	switch {
	case hold != "" && hold != was:
		c.event(EventHold, cause{reason: text})
	case hold == "" && was != "":
		c.event(EventHoldEnded, cause{reason: "the clock runs again"})
	}
}

// forgetYes has the hooks asked again that were asked whether to go on.
func (c *change) forgetYes() {
	if c.s.gate().Asking == "" {
		return
	}
	c.setGate(func(g *gates) {
		g.Asking = ""
		g.Hooks = slices.Clone(g.Hooks)
		for i := range g.Hooks {
			if h := &g.Hooks[i]; h.Point != config.HookRollout && h.Point != config.HookRollback && h.Point != config.HookPostRollout {
				h.Answer, h.Text = "", ""
			}
		}
	})
}

// startCause is who begins a rollout that was admitted.
func (s *State) startCause() cause {
	if o := s.gate().Ordered; o != nil {
		return cause{reason: o.Reason, actor: o.Actor}
	}
	return cause{reason: "it starts by itself"}
}

// orderStart begins a rollout at a person's word, or when its hooks have said yes.
func (c *change) orderStart(cmd *Command, why cause) {
	if cmd.asks(&c.s) {
		c.noteOrder(why)
		return
	}
	c.start(why)
}

// asks says whether a start waits for hooks that are asked although a person orders it.
func (cmd *Command) asks(s *State) bool {
	hooks := &s.Spec.Policy.Hooks
	return !cmd.Force && s.Phase == PhasePending && len(hooks.PreRollout)+len(hooks.ConfirmTrafficIncrease) > 0
}

// noteOrder remembers a start until hooks have said yes.
func (c *change) noteOrder(why cause) {
	c.setGate(func(g *gates) { g.Ordered = &startOrder{Actor: why.actor, Reason: why.reason} })
	c.event(EventOrdered, why)
}

// confirmed says whether the hooks have said yes to what comes after the stage, and asks them when not.
func (c *change) confirmed() bool {
	return c.agreed(c.s.nextPoint())
}

// agreed says whether the hooks of a point have said yes, and asks them when not.
func (c *change) agreed(point string) bool {
	g := c.s.gate()
	if point == "" || c.s.unconfirmed(&g, point) == nil {
		return true
	}
	if g.Asking != point {
		c.setGate(func(g *gates) { g.Asking = point })
	}
	return false
}

// nextPoint is the point that the rollout passes when it leaves its stage; empty for none.
func (s *State) nextPoint() string {
	p := &s.Spec.Policy
	next, more := s.nextStep()
	switch {
	case s.Bake || !more && p.Bake.Duration <= 0:
		return config.HookConfirmPromotion
	case more && exposureOf(p.Steps[next]).raises(s.shares()), !more && exposureOf(bakeStage(p)).raises(s.shares()):
		return config.HookConfirmTrafficIncrease
	}
	return ""
}

// exposureOf is the part of a split that a step brings.
func exposureOf(step config.Step) Split {
	d := Split{Weight: step.Weight, Segment: step.Segment, OptIn: step.OptIn}
	if step.Group() != "" {
		d.Strength = step.Strength
	}
	return d
}

// gateText explains a hold at a gate.
func (s *State) gateText(h Hold, now time.Time) string {
	until := ""
	if at := s.goesOn(now); !at.IsZero() && (h == HoldFreeze || h == HoldWindow) {
		until = s.moment(at)
	}
	switch {
	case h == HoldFreeze && s.frozen(now) != nil:
		return "frozen: " + s.frozen(now).Reason + ending("; steps are taken again from ", until)
	case h == HoldWindow && until == "":
		return "outside of the windows for steps, and none is known to open"
	case h == HoldWindow:
		return "outside of the windows for steps; the next step is taken from " + until + " on"
	case h == HoldHook:
		return s.hookText()
	}
	return ""
}

// ending is nothing without its second half.
func ending(text, rest string) string {
	if rest == "" {
		return ""
	}
	return text + rest
}

// gateReason is what a step that is done waits for from a person; empty for nothing.
func (s *State) gateReason() string {
	if text := s.incomplete(); text != "" {
		return text
	}
	open := s.openItems()
	switch approval := s.stage().Approval; {
	case approval && len(open) > 0:
		return fmt.Sprintf("%s is done and needs an approval and its checklist: %s", s.stageName(), join(open))
	case approval:
		return fmt.Sprintf("%s is done and needs an approval", s.stageName())
	case len(open) > 0:
		return fmt.Sprintf("%s is done and waits for its checklist: %s", s.stageName(), join(open))
	}
	return ""
}
