package rollout

import (
	"fmt"
	"slices"
	"time"

	"haldane/config"
)

// answered takes an answer of a hook.
func answered(s State, now time.Time, a Answer) (State, []Action) {
	list := s.Spec.Policy.Hooks.At(a.Point)
	i := slices.IndexFunc(list, func(h config.Hook) bool { return h.Name == a.Hook })
	g := s.gate()
	known := g.find(a.Point, a.Hook)
	if known == nil {
		known = &hookState{Point: a.Point, Name: a.Hook}
	}
	if i < 0 || a.Place != s.place() || a.Turn != known.Turn+1 {
		return s, nil
	}
	h := *known
	h.Turn, h.Answer, h.Text, h.At = a.Turn, a.Answer, a.Text, now
	if a.Answer == HookRefused || a.Answer == HookSilent && a.Point == config.HookPostRollout {
		h.Failed++
	}
	c := begin(s, now)
	c.setGate(func(g *gates) { g.put(h) })
	c.heard(&list[i], &h)
	return c.finish()
}

// put files what is known of a hook, in a list of its own.
func (g *gates) put(h hookState) {
	list := slices.Clone(g.Hooks)
	if i := slices.IndexFunc(list, func(o hookState) bool { return o.Point == h.Point && o.Name == h.Name }); i >= 0 {
		list[i] = h
	} else {
		list = append(list, h)
	}
	g.Hooks = list
}

// heard does what an answer asks for.
func (c *change) heard(hook *config.Hook, h *hookState) {
	numbers := ""
	if c.s.Phase.exposing() {
		numbers = c.s.Verdict.Sentence()
	}
	switch {
	case h.Point == config.HookRollback && h.Answer == HookYes && c.s.Phase.exposing():
		c.rollBack(cause{reason: fmt.Sprintf("the hook %s ordered it", h.Name) + ending(": ", h.Text), numbers: numbers, trigger: TriggerHook})
	case h.Answer != HookRefused || h.Failed < hook.Failures:
	case h.Point == config.HookPreRollout && c.s.Phase == PhasePending, h.Point == config.HookRollout && c.s.Phase.exposing():
		c.refused(h, numbers)
	}
}

// refused does what the policy says about a hook that has refused too often.
func (c *change) refused(h *hookState, numbers string) {
	why := cause{
		reason:  fmt.Sprintf("the hook %s (%s) said no %d times", h.Name, h.Point, h.Failed) + ending(", the last time: ", h.Text),
		numbers: numbers, trigger: TriggerHook,
	}
	switch on := c.s.Policy.OnFailure; {
	case c.s.Phase == PhasePending:
		c.rollBack(why)
	case on == config.FailurePause && c.s.Pause == PauseFailed:
	case on == config.FailurePause:
		h.Failed = 0 // whoever goes on in spite of it gives it as many chances again
		c.setGate(func(g *gates) { g.put(*h) })
		c.pause(PauseFailed, why)
	case on == config.FailureStepBack && c.stepBack(why):
	default:
		c.rollBack(why)
	}
}
