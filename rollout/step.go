package rollout

import (
	"fmt"
	"time"
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
	c.others = o.Others
	elapsed := min(max(0, now.Sub(s.Ticked)), maxCredit)
	c.s.Ticked = now
	switch {
	case s.Phase == PhasePending:
		c.await()
	case s.retryDue(now):
		if len(s.awaits(&o.Others)) == 0 && c.readmitted() && c.mayStore() {
			c.retryItself()
		}
	case s.Phase == PhaseRolledBack && o.Others.order == orderReady:
		c.readmitted()
	case s.Phase == PhaseRolledBack && o.Others.order == orderGo:
		c.retry(cause{reason: o.Others.why})
	case s.Phase.exposing():
		c.look(o, elapsed)
	}
	return c.finish()
}

// look takes one observation of a rollout that has users on its canary. The order is that of urgency.
func (c *change) look(o Observation, elapsed time.Duration) {
	c.book(o)
	c.hear()
	spent, crowded := c.s.bankrupt(), c.s.crowded()
	switch {
	case spent != "":
		c.rollBack(cause{reason: spent, numbers: o.Verdict.Sentence(), trigger: TriggerBudget})
	case o.Others.order == orderFall:
		c.fall()
	case c.s.failing(&o.Verdict):
		c.failed(o.Verdict)
	case c.s.Phase == PhasePaused:
		// Only a person, a failed check or the budget ends a pause.
	case o.Others.order == orderPause:
		c.pause(PauseRelease, cause{reason: o.Others.why})
	case crowded != "":
		c.pause(PauseExposed, cause{reason: crowded, numbers: o.Verdict.Sentence()})
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
	c.s.Setbacks.Losses = o.Losses
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

// proceed leaves the stage if it is done, and asks a person if it takes too long.
func (c *change) proceed() {
	if c.grow() {
		return
	}
	waits := c.s.waits(c.now)
	switch {
	case len(waits) > 0 && c.s.Clock >= c.s.Deadline:
		c.undecided(waits[0])
	case len(waits) > 0:
		c.noStore()
	case c.s.doomed():
		c.failed(c.s.Verdict)
	case !c.confirmed():
	case c.waitsForRelease():
	case c.s.gateReason() != "":
		c.pause(PauseGate, cause{reason: c.s.gateReason(), numbers: c.s.Verdict.Sentence()})
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
	if !s.Phase.Live() && !s.retryDue(now) { // it would have begun again with its release, of which the others say why it did not
		return c.finish()
	}
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
