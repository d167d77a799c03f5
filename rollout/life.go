package rollout

import (
	"fmt"
	"slices"
	"time"
)

// created is the state of a rollout that the configuration asks for and that is not known. It is pending or, with a reason to
// refuse it, rolled back: then only an operator can start it.
func created(spec Spec, now time.Time, b birth, refused string) (State, []Action) {
	c := begin(newState(spec, now, b), now)
	if refused != "" {
		c.rollBack(cause{reason: refused, trigger: TriggerState})
		return c.finish()
	}
	c.s.Reason = fmt.Sprintf("the configuration asks for %s", spec.Canary)
	c.event(EventCreated, cause{reason: c.s.Reason})
	return c.finish()
}

// superseded is the last state of a rollout that the configuration does not ask for any more.
func superseded(s State, now time.Time, why cause) (State, []Action) {
	c := begin(s, now)
	c.supersede(why)
	return c.finish()
}

// reopened is the state after a restart of the process. What was seen before is not recent any more.
// evidence says why the stored evidence could not be read, if so: the step starts again.
func reopened(s State, now time.Time, evidence error) (State, []Action) {
	c := begin(s, now)
	c.s.Ticked, c.s.Awake = now, now
	c.s.LastCanary, c.s.LastJudged = time.Time{}, time.Time{}
	if c.s.Entered.After(now) { // the clock was set back meanwhile, and silence would not be noticed until then
		c.s.Entered = now
	}
	c.s.Recent = recent{}
	c.clearHold()
	why := cause{reason: "the process was restarted"}
	if evidence != nil && s.Phase.exposing() {
		why.reason = fmt.Sprintf("the process was restarted and the step starts again: %v", evidence)
		c.restartClock()
	}
	if s.Phase.Live() {
		c.event(EventRestored, why)
	}
	return c.finish()
}

// configured takes what the configuration asks for now, for the same rollout.
func configured(s State, now time.Time, spec Spec) (State, []Action) {
	if spec.ID() != s.ID {
		panic(fmt.Sprintf("rollout: %q is configured as another rollout", spec.Service))
	}
	c := begin(s, now)
	changed := !samePolicy(&c.s.Spec.Policy, &spec.Policy)
	c.s.Spec = spec
	if gone := c.s.Override; gone != "" && !slices.Contains(c.s.variants(), gone) {
		c.clearOverride(cause{reason: fmt.Sprintf("the configuration has no variant %s any more", gone)})
	}
	switch {
	case !changed:
	case s.Phase == PhasePending:
		c.adopt()
	case s.Phase.exposing():
		c.event(EventPolicy, cause{reason: fmt.Sprintf("the policy %s changed: it applies from the next step", spec.PolicyName)})
	}
	return c.finish()
}
