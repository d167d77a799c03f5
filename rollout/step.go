package rollout

import (
	"cmp"
	"fmt"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// maxCredit bounds what one look at the clock may add to it: time in which nothing was judged (a process that was stopped, a
// disk that hung) is no time on the step.
const maxCredit = 2 * time.Second

// storeRetry is the pause between two attempts to store a step.
const storeRetry = time.Second

// Step tells a rollout what was seen since the last call, and what time it is. It returns the next state and what must be
// done about it. Calls are a second or less apart; see maxCredit.
func Step(s State, now time.Time, o Observation) (State, []Action) {
	c := begin(s, now)
	elapsed := min(max(0, now.Sub(s.Ticked)), maxCredit)
	c.s.Ticked = now
	switch {
	case s.Phase == PhasePending && s.Spec.Start != config.StartManual && c.mayStore():
		c.start(cause{reason: "it starts by itself"})
	case s.Phase.exposing():
		c.look(o, elapsed)
	}
	return c.finish()
}

// look takes one observation of a rollout that has users on its canary. The order is that of urgency.
func (c *change) look(o Observation, elapsed time.Duration) {
	c.book(o)
	limit := uint64(max(0, c.s.Policy.Budget.FailedRequests))
	switch {
	case limit > 0 && o.Spent >= limit:
		c.rollBack(cause{
			reason:  fmt.Sprintf("the budget is spent: %d failed canary requests, allowed are %d", o.Spent, limit),
			numbers: o.Verdict.Sentence(),
			trigger: TriggerBudget,
		})
	case c.s.failing(&o.Verdict):
		c.failed(o.Verdict)
	case c.s.Phase == PhasePaused:
		// Only a person, a failed check or the budget ends a pause.
	case c.watch(o.Verdict):
		c.s.Clock += elapsed
		c.proceed()
	}
}

// book takes the numbers of an observation.
func (c *change) book(o Observation) {
	c.s.Verdict = o.Verdict
	c.s.Spent = o.Spent
	c.s.Users = o.Users
	c.s.StepRequests += o.Canary.Requests
	c.s.StepFailed += o.Canary.Failed
	c.s.StepJudged += o.Judged
	c.s.CanaryTotal.add(o.Canary)
	c.s.StableTotal.add(o.Stable)
	c.s.Recent.add(c.now, o.Stable)
	if o.Canary.Requests > 0 {
		c.s.LastCanary = c.now
	}
	if o.Judged > 0 {
		c.s.LastJudged = c.now
	}
	if o.Judged+o.Reference > 0 {
		c.s.Pace.add(c.now, o.Judged, o.Judged+o.Reference)
	}
	c.inform()
}

// failed does what the policy says about a failed check.
func (c *change) failed(v analysis.Verdict) {
	why := cause{reason: c.s.failedChecks(v), numbers: v.Sentence(), trigger: TriggerCheck}
	switch {
	case c.s.Policy.OnFailure != config.FailurePause:
		c.rollBack(why)
	case c.s.Pause != PauseFailed:
		c.pause(PauseFailed, why)
	}
}

// failedChecks names what failed.
func (s *State) failedChecks(v analysis.Verdict) string {
	stage := s.stage()
	if check := cmp.Or(failed(&stage, &v), failed(&config.Step{}, &v)); check != nil {
		return fmt.Sprintf("the check %s failed", check.Name)
	}
	return "a check failed"
}

// proceed leaves the stage if it is done, and asks a person if it takes too long.
func (c *change) proceed() {
	if c.grow() {
		return
	}
	stage := c.s.stage()
	waits := c.s.waits(c.now)
	switch {
	case len(waits) > 0 && c.s.Clock >= c.s.Deadline:
		c.pause(PauseUndecided, cause{
			reason:  fmt.Sprintf("undecided after %s: %s", config.Duration(c.s.Deadline), waits[0]),
			numbers: c.s.Verdict.Sentence(),
		})
	case len(waits) > 0:
		c.noStore()
	case c.s.doomed():
		c.failed(c.s.Verdict)
	case stage.Approval:
		c.pause(PauseGate, cause{reason: fmt.Sprintf("%s is done and needs an approval", c.s.stageName()), numbers: c.s.Verdict.Sentence()})
	case !c.mayStore():
	case c.s.Phase == PhaseBaking:
		c.promote(cause{reason: "the bake is done", numbers: c.s.Verdict.Sentence()})
	default:
		c.advance(cause{reason: fmt.Sprintf("%s is done", c.s.stageName()), numbers: c.s.Verdict.Sentence()})
	}
}

// noStore ends a HoldStore when there is nothing to be stored any more.
func (c *change) noStore() {
	if c.s.Hold == HoldStore {
		c.clearHold()
		c.event(EventHoldEnded, cause{reason: "the step is not done any more"})
	}
}

// mayStore says whether it is time to try a step that could not be stored.
func (c *change) mayStore() bool { return c.s.Hold != HoldStore || !c.now.Before(c.s.StoreRetry) }

// notStored is the state after a Step whose ActionStoreFirst failed: s and o are what Step was given. The rollout stays where it
// is and says why; Step tries again.
func notStored(s State, now time.Time, o Observation, err error) (State, []Action) {
	c := begin(s, now)
	c.s.Ticked = now
	if s.Phase.exposing() {
		c.book(o)
	}
	text := fmt.Sprintf("state cannot be stored: %v", err)
	c.s.StoreRetry = now.Add(storeRetry)
	c.s.HoldText = text
	if c.s.Hold != HoldStore {
		c.s.Hold = HoldStore
		c.event(EventHold, cause{reason: text})
	}
	return c.finish()
}
