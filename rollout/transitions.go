package rollout

import (
	"fmt"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// start begins the first attempt.
func (c *change) start(why cause) {
	c.must("start", PhasePending)
	c.s.Started = c.now
	c.s.Awake = c.now
	c.s.Unit = unit{}
	c.also(ActionArm)
	c.enter(0)
	c.s.Reason = why.reason
	c.event(EventStarted, why)
}

// retry begins another attempt after a rollback: other users, no evidence, a full budget.
func (c *change) retry(why cause) {
	c.must("retry", PhaseRolledBack)
	c.s.Attempt++
	c.s.Started, c.s.Ended = c.now, time.Time{}
	c.s.Awake = c.now
	c.s.Spent, c.s.Setbacks, c.s.Unit, c.s.Partial = 0, Setbacks{}, unit{}, partial{}
	c.s.CanaryTotal, c.s.StableTotal = Seen{}, Seen{}
	c.s.LastCanary, c.s.LastJudged = time.Time{}, time.Time{}
	c.startOver()
	c.also(ActionArm)
	c.enter(0)
	c.s.Reason = why.reason
	c.event(EventRetried, why)
}

// advance goes on to the next step, or past the last one.
func (c *change) advance(why cause) {
	c.must("advance", PhaseProgressing, PhasePaused)
	if c.s.Pause == PauseFailed || c.s.heldBy(c.s.Verdict) != nil { // a person goes on in spite of the judge, who is asked again from nothing
		c.startOver()
	}
	c.leave(why)
	if next, more := c.s.nextStep(); more {
		c.enter(next)
		c.s.Reason = why.reason
		c.event(EventStep, why)
		return
	}
	c.bake(why)
}

// enter comes to a step. A changed policy applies from here.
func (c *change) enter(step int) {
	c.adopt()
	if c.was.exposing() && step <= c.s.Step { // another policy has other stages
		c.s.Visits++
	}
	c.s.Phase = PhaseProgressing
	c.s.Step, c.s.Bake = step, false
	c.comeTo()
	c.resetStep()
}

// bake begins the last watch, unless the policy has none.
func (c *change) bake(why cause) {
	c.must("bake", PhaseProgressing, PhasePaused)
	if c.s.Spec.Policy.Bake.Duration <= 0 {
		c.promote(why)
		return
	}
	c.adopt()
	c.s.Phase = PhaseBaking
	c.s.Step, c.s.Bake = len(c.s.Policy.Steps)-1, true
	c.resetStep()
	c.s.Reason = why.reason
	c.event(EventBaking, why)
}

// adopt brings the policy of the configuration into force.
func (c *change) adopt() {
	if c.s.Policy.Budget != c.s.Spec.Policy.Budget {
		c.also(ActionSetLimit)
	}
	c.recounts = c.recounts || !sameKinds(&c.s.Policy.Checks, &c.s.Spec.Policy.Checks)
	c.s.Policy, c.s.PolicyName = c.s.adoptPartial(c.s.Spec.Policy), c.s.Spec.PolicyName
}

// resetStep starts the clock and the counts of a stage.
func (c *change) resetStep() {
	c.unpause()
	c.s.Manual = nil
	c.s.Unit.reset()
	c.clearHold()
	c.s.Entered = c.now
	c.restartClock()
}

// restartClock starts the clock and the counts of the stage again.
func (c *change) restartClock() {
	c.forgetYes() // that was to what the stage had shown
	c.s.Clock = 0
	c.s.Deadline = time.Duration(c.s.stage().MaxDuration)
	c.s.StepRequests, c.s.StepFailed, c.s.StepJudged = 0, 0, 0
	c.s.Pace = pace{}
	c.s.Staging.Ramp.At, c.s.Staging.Ramp.Judged = 0, 0
	c.also(ActionNewStep)
}

// startOver forgets the evidence.
func (c *change) startOver() {
	c.s.Verdict, c.s.Informed = analysis.Verdict{}, false
	c.also(ActionStartOver)
}

// unpause forgets why the rollout waited.
func (c *change) unpause() {
	if c.s.Pause == PauseExposed {
		c.s.Setbacks.Accepted = true
	}
	c.s.Pause, c.s.PauseText = "", ""
}

// clearHold lets the clock run.
func (c *change) clearHold() { c.s.Hold, c.s.HoldText, c.s.StoreRetry = "", "", time.Time{} }

// pause waits for a person. A pause may be replaced by one for a better reason.
func (c *change) pause(p Pause, why cause) {
	c.must("pause", PhaseProgressing, PhaseBaking, PhasePaused)
	c.s.Phase = PhasePaused
	c.s.Pause, c.s.PauseText = p, why.reason
	c.clearHold()
	c.s.Reason = why.reason
	c.event(EventPaused, why)
}

// resume goes on where the pause began.
func (c *change) resume(why cause) {
	c.must("resume", PhasePaused)
	was := c.s.Pause
	c.forgetYes() // that is as old as the pause
	c.s.Phase = PhaseProgressing
	if c.s.Bake {
		c.s.Phase = PhaseBaking
	}
	c.unpause()
	if c.s.Manual != nil {
		why.reason += fmt.Sprintf("; the weight goes from %s back to the step's %s", *c.s.Manual, c.s.stage().Weight)
	}
	c.s.Manual = nil
	switch was {
	case PauseFailed:
		// The judge's word stays; to go on in spite of it is to ask again, from nothing.
		c.startOver()
		c.restartClock()
	case PauseUndecided:
		c.s.Deadline = c.s.Clock + time.Duration(c.s.stage().MaxDuration)
	}
	c.s.Reason = why.reason
	c.event(EventResumed, why)
}

// promote gives the canary all traffic.
func (c *change) promote(why cause) {
	c.must("promote", PhaseProgressing, PhasePaused, PhaseBaking)
	c.unpause()
	c.s.Manual = nil
	c.end(PhasePromoted, why)
	c.event(EventPromoted, why)
}

// rollBack gives the stable all traffic. An override to the canary was an order for a canary that was not rolled back yet.
func (c *change) rollBack(why cause) {
	c.must("rollback", PhasePending, PhaseProgressing, PhasePaused, PhaseBaking)
	c.unpause()
	c.s.Manual = nil
	if c.s.Override == c.s.Spec.Canary {
		c.s.Override = ""
	}
	c.cool(why.trigger)
	c.end(PhaseRolledBack, why)
	c.event(EventRolledBack, why)
}

// supersede ends a rollout that the configuration no longer asks for.
func (c *change) supersede(why cause) {
	if c.s.Phase.Live() {
		c.end(PhaseSuperseded, why)
		c.event(EventSuperseded, why)
		return
	}
	c.event(EventFinished, why)
}

// end stops everything that watches the rollout.
func (c *change) end(p Phase, why cause) {
	c.s.Phase = p
	c.s.Unit.reset()
	c.clearHold()
	c.s.Ended = c.now
	if p != PhaseSuperseded {
		c.s.Staging.Series = series{}
	}
	c.s.Reason = why.reason
	c.also(ActionEnd)
}

// setWeight orders a weight, and holds the automatic until it is resumed.
func (c *change) setWeight(w config.Percent, why cause) {
	c.must("set-weight", PhaseProgressing, PhasePaused, PhaseBaking)
	c.s.Phase = PhasePaused
	// A failed check stays the reason: to resume must still start over.
	if c.s.Pause != PauseFailed {
		c.unpause()
		c.s.Pause = PauseOperator
	}
	c.s.Manual = &w
	c.s.PauseText = fmt.Sprintf("the weight was set to %s by hand; resume goes back to the step's %s", w, c.s.stage().Weight)
	c.clearHold()
	c.s.Reason = c.s.PauseText
	c.event(EventWeight, why)
}

// override orders all traffic to one variant, in any phase.
func (c *change) override(variant string, why cause) {
	c.s.Override = variant
	if why.reason == "" {
		why.reason = "all traffic goes to " + variant
	}
	c.event(EventOverride, why)
}

// clearOverride ends the override.
func (c *change) clearOverride(why cause) {
	if why.reason == "" {
		why.reason = "no longer all traffic to " + c.s.Override
	}
	c.s.Override = ""
	c.event(EventOverrideCleared, why)
}
