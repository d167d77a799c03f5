package rollout

import (
	"cmp"
	"fmt"

	"haldane/analysis"
	"haldane/config"
)

// outcomesOf are the outcomes of a check of the policy, by its name in verdicts. A check and its maximum, and both directions of a metric, have the same.
func outcomesOf(p *config.Policy, name string) config.Outcomes {
	name = written(name)
	if name == checkErrors {
		return p.Checks.Errors.On
	}
	if l, is := p.Checks.Latency[name]; is {
		return l.On
	}
	if m, is := p.Checks.Metrics[name]; is {
		return m.On
	}
	return p.Checks.Events[name].On
}

// ordered is the word for what the policy says of a check in particular, as it stands; empty for nothing. A muted check is
// nobody's business.
func (s *State) ordered(check *analysis.CheckVerdict) string {
	if check.Muted {
		return config.OnAdvance
	}
	if partOf(check.Name) != "" && check.Class != analysis.Fail {
		return "" // a part that is too quiet to be judged is as good as one that is not told apart
	}
	on := outcomesOf(&s.Policy, check.Name)
	switch check.Class {
	case analysis.Pass:
		return on.Pass
	case analysis.Marginal:
		return on.Marginal
	case analysis.Fail:
		return on.Fail
	case analysis.NoData:
		if check.Cause == analysis.CauseError {
			return cmp.Or(on.Error, on.NoData)
		}
		return on.NoData
	}
	return ""
}

// fatal says whether the fail of a check ends the rollout: if its outcomes do not say, then as the check does.
func fatal(on *config.Outcomes, critical bool) bool {
	return on.Fail == config.OnRollBack || on.Fail == "" && critical
}

// waitsForCheck says why a check keeps the rollout on its stage; empty when it does not.
func (s *State) waitsForCheck(stage config.Step, check *analysis.CheckVerdict) string {
	switch word := s.ordered(check); {
	case word == config.OnAdvance && check.Class != analysis.Pass:
	case word == config.OnHold:
		return fmt.Sprintf("the check %s %s; the policy holds", check.Name, isSo(check))
	case word == config.OnRollBack:
		return fmt.Sprintf("the check %s %s; the policy rolls back if that is so after %s", check.Name, isSo(check), stage.MaxDuration)
	case check.Score < leansToHarm:
		return fmt.Sprintf("the check %s leans to harm (score %.0f of 100)", check.Name, check.Score)
	case stage.AdvanceWhen == config.AdvanceProven && partOf(check.Name) == "" && check.Class != analysis.Pass:
		return fmt.Sprintf("the check %s is not yet shown within tolerance (score %.0f of 100)", check.Name, check.Score)
	}
	return ""
}

// isSo says how a check stands, after its name.
func isSo(check *analysis.CheckVerdict) string {
	switch check.Class {
	case analysis.Fail:
		return "failed"
	case analysis.NoData:
		return "has no data"
	}
	return fmt.Sprintf("is undecided (score %.0f of 100)", check.Score)
}

// excused says that the policy goes on without knowing more of a check.
func (s *State) excused(check *analysis.CheckVerdict) bool {
	return check.Class != analysis.Pass && s.ordered(check) == config.OnAdvance
}

// heldBy is the failed check that stops the clock; nil for none.
func (s *State) heldBy(v analysis.Verdict) *analysis.CheckVerdict {
	stage := s.stage()
	for i := range v.Checks {
		if check := &v.Checks[i]; check.Class == analysis.Fail && counts(&stage, check.Name) && s.ordered(check) == config.OnHold {
			return check
		}
	}
	return nil
}

// heldText says that a check stops the clock.
func (s *State) heldText(v analysis.Verdict) string {
	if check := s.heldBy(v); check != nil {
		return fmt.Sprintf("the check %s failed; the policy holds", check.Name)
	}
	return ""
}

// failed does what the policy says about a failed check. What it says of this check in particular comes first.
func (c *change) failed(v analysis.Verdict) {
	if c.takeBack(&v) {
		return
	}
	_, ends := c.s.worst(v)
	why := cause{reason: c.s.whatFailed(v), numbers: v.Sentence(), trigger: TriggerCheck}
	switch on := c.s.Policy.OnFailure; {
	case ends:
		c.rollBack(why)
	case on == config.FailurePause:
		if c.s.Pause != PauseFailed {
			c.pause(PauseFailed, why)
		}
	case on == config.FailureStepBack && c.stepBack(why):
	default:
		c.rollBack(why)
	}
}

// whatFailed names the check that failed.
func (s *State) whatFailed(v analysis.Verdict) string {
	if check, _ := s.worst(v); check != nil {
		return fmt.Sprintf("the check %s failed", check.Name)
	}
	return "a check failed"
}

// worst is the critical check that failed and counts on the stage: the first one, or the first whose outcomes say that it ends the
// rollout. Where none of these failed, it is one that would count on the next stage.
func (s *State) worst(v analysis.Verdict) (check *analysis.CheckVerdict, ends bool) {
	stage := s.stage()
	if check, ends = s.worstOn(&stage, v); check == nil {
		check, ends = s.worstOn(&config.Step{}, v)
	}
	return check, ends
}

func (s *State) worstOn(step *config.Step, v analysis.Verdict) (check *analysis.CheckVerdict, ends bool) {
	for i := range v.Checks {
		switch k := &v.Checks[i]; {
		case k.Class != analysis.Fail || !k.Critical || !counts(step, k.Name):
		case s.ordered(k) == config.OnRollBack:
			return k, true
		case check == nil:
			check = k
		}
	}
	return check, false
}

// undecided ends a stage that took too long: a person is asked, unless a check has no data and the policy rolls back for that.
func (c *change) undecided(waits string) {
	why := cause{numbers: c.s.Verdict.Sentence(), trigger: TriggerCheck}
	compared, stage := c.s.shares().compared(), c.s.stage()
	for i := range c.s.Verdict.Checks {
		check := &c.s.Verdict.Checks[i]
		if (compared || check.Alone) && check.Class == analysis.NoData && counts(&stage, check.Name) &&
			c.s.ordered(check) == config.OnRollBack {
			why.reason = fmt.Sprintf("the check %s has no data after %s; the policy rolls back", check.Name, config.Duration(c.s.Deadline))
			c.rollBack(why)
			return
		}
	}
	why.trigger = ""
	why.reason = fmt.Sprintf("undecided after %s: %s", config.Duration(c.s.Deadline), waits)
	c.pause(PauseUndecided, why)
}
