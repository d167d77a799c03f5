package rollout

import (
	"fmt"
	"slices"
	"time"

	"haldane/config"
	"haldane/stats"
)

// Setbacks are what a rollout remembers of what went wrong.
type Setbacks struct {
	// Losses are what this attempt has cost besides failed requests. Accepted says that a person has gone on although the
	// limit of users was reached.
	Losses   stats.Losses `json:"losses,omitzero"`
	Accepted bool         `json:"accepted,omitempty"`
	// Back lists the steps of this attempt that were left for the one before; the bake is the number of steps.
	Back []int `json:"back,omitempty"`
	// Cooled is when the cool-down after the last rollback is over; zero without one. Retried is how many retries by itself
	// there were since a person's order.
	Cooled  time.Time `json:"cooled,omitzero"`
	Retried int       `json:"retried,omitempty"`
}

// stepBack goes back to the last stage before this one that exposes nobody who is not exposed now, and says whether it did.
// From each stage it goes back once. A changed policy does not apply: that is for the next step.
func (c *change) stepBack(why cause) bool {
	place := c.s.stageNumber()
	to := c.s.safer()
	if to < 0 || slices.Contains(c.s.Setbacks.Back, place) {
		return false
	}
	c.must("step back", PhaseProgressing, PhasePaused, PhaseBaking)
	from, operator, accepted := c.s.stageName(), c.s.Pause == PauseOperator, c.s.Setbacks.Accepted
	c.startOver()
	c.s.Phase, c.s.Step, c.s.Bake = PhaseProgressing, to, false
	c.s.Visits++ // what its gates let through was the way to where it failed
	c.s.Staging.Series = series{}
	c.resetStep()
	c.s.Setbacks.Accepted = accepted
	c.s.Setbacks.Back = append(slices.Clip(c.s.Setbacks.Back), place)
	if operator { // whoever has paused it still has
		c.s.Phase, c.s.Pause = PhasePaused, PauseOperator
		c.s.PauseText = fmt.Sprintf("it was paused on %s, before it went back to %s", from, c.s.stageName())
	}
	why.reason = fmt.Sprintf("%s on %s: one step back", why.reason, from)
	c.s.Reason = why.reason
	c.event(EventSteppedBack, why)
	return true
}

// stageNumber is the number of the stage; the bake comes after all steps.
func (s *State) stageNumber() int {
	if s.Bake {
		return len(s.Policy.Steps)
	}
	return s.Step
}

// safer is the last stage before this one that exposes nobody else; negative for none. A segment may be exposed on an early step
// alone: to go back there would be no way back for its members.
func (s *State) safer() int {
	now := s.shares()
	for to := s.stageNumber() - 1; to >= 0; to-- {
		before := *s
		before.Phase, before.Step, before.Bake, before.Manual = PhaseProgressing, to, false, nil
		if !before.shares().raises(now) {
			return to
		}
	}
	return -1
}

// cool begins the cool-down after a rollback that no person has ordered.
func (c *change) cool(t Trigger) {
	c.s.Setbacks.Cooled = time.Time{}
	if t == TriggerCheck || t == TriggerBudget {
		c.s.Setbacks.Cooled = c.now.Add(time.Duration(c.s.Policy.CoolDown))
	}
}

// cooling is how long a retry has to wait yet.
func (s *State) cooling(now time.Time) time.Duration {
	if s.Phase != PhaseRolledBack {
		return 0
	}
	return max(0, s.Setbacks.Cooled.Sub(now))
}

// retries says how many retries by itself are left: after a rollback that no person has ordered, as many as the configuration
// says now. What is released with others begins again with them, by a person's order.
func (s *State) retries() int {
	if s.Phase != PhaseRolledBack || s.Setbacks.Cooled.IsZero() || s.Spec.Release != "" {
		return 0
	}
	return max(0, s.Spec.Policy.Retries-s.Setbacks.Retried)
}

// retryDue says whether it is time for a retry by itself.
func (s *State) retryDue(now time.Time) bool {
	return s.Phase == PhaseRolledBack && s.retries() > 0 && s.cooling(now) == 0 && s.Override == ""
}

// readmitted says whether the gates let a rollout begin again that no person begins, and asks its hooks when not: what a first start
// asks.
func (c *change) readmitted() bool {
	if c.s.closed(c.now) != "" {
		c.forgetYes()
		return false
	}
	point := c.s.startPoint()
	if point != "" && point != c.s.gate().Asking {
		c.setGate(func(g *gates) { g.Asking = point })
	}
	return point == ""
}

// retryItself begins another attempt without a person.
func (c *change) retryItself() {
	retried := c.s.Setbacks.Retried + 1
	c.retry(cause{reason: fmt.Sprintf("retry %d of %d by itself, after a cool-down of %s", retried, c.s.Spec.Policy.Retries, c.s.Policy.CoolDown)})
	c.s.Setbacks.Retried = retried
}

// afterRollback says what comes after a rollback.
func (s *State) afterRollback(now time.Time) (next string, waits []string) {
	next, waits = "another canary, or retry", []string{}
	left := s.cooling(now)
	if n := s.retries(); n > 0 {
		next = fmt.Sprintf("retry %d of %d by itself, or another canary", s.Setbacks.Retried+1, s.Spec.Policy.Retries)
		if s.Override != "" {
			waits = append(waits, "an operator's override sends all traffic to "+s.Override)
		}
	}
	if s.retries() > 0 || s.Unit.Blameless {
		if closed := s.closed(now); closed != "" {
			waits = append(waits, s.gateText(closed, now))
		} else if _, hook := s.stops(); hook != nil {
			waits = append(waits, s.hookText())
		}
	}
	if left > 0 {
		waits = append(waits, fmt.Sprintf("the cool-down of %s ends in %s", s.Policy.CoolDown, seconds(left)))
	}
	return next, waits
}

// cooled refuses a retry that comes too early.
func (cmd *Command) cooled(s *State, now time.Time) error {
	left := s.cooling(now)
	if cmd.Kind != CommandRetry || cmd.Force || left == 0 {
		return nil
	}
	return &ImpossibleError{
		Service: s.Spec.Service, Command: cmd.Kind, Phase: s.Phase, Cooling: config.Duration(left), Possible: s.Possible(),
	}
}
