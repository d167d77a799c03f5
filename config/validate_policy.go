package config

func (v *validator) policy(p *Policy, at, top place) {
	if len(p.Steps) == 0 && p.Ramp == nil && !v.problems.unread(at.key("steps")) {
		v.problems.wrong(at, "at least one step is required")
	}
	var before Percent
	for i := range p.Steps {
		in := at.key("steps").item(i)
		v.step(&p.Steps[i], in, top)
		if weight := p.Steps[i].Weight; weight < before {
			v.problems.wrong(in.key("weight"), "the weight cannot fall from one step to the next: %s comes after %s", weight, before)
		}
		before = max(before, p.Steps[i].Weight)
	}
	if last := len(p.Steps) - 1; last >= 0 && before == 0 && p.Steps[last].Group() != "" {
		v.problems.wrong(at.key("steps").item(last), "the last step needs a weight above 0%%: after it the canary takes over")
	}
	v.checks(&p.Checks, at.key("checks"))
	v.budget(&p.Budget, at.key("budget"))
	v.bake(p, at.key("bake"))
	v.failure(p, at)
	v.chance(at.key("alpha"), p.Alpha)
	v.chance(at.key("beta"), p.Beta)
	v.stages(p, at, top)
	v.gates(p, at)
	v.partial(p.Partial, at.key("partial"), top)
}

func (v *validator) step(s *Step, at, top place) {
	if s.Weight == 0 && s.Group() == "" {
		v.problems.wrong(at, "a step needs a weight above 0%% or a segment")
	}
	if s.Segment != "" {
		v.reference(at.key("segment"), s.Segment, "segment", top.key("segments"), names(v.c.Segments))
	}
	v.share(at.key("strength"), s.Strength)
	v.notNegative(at.key("duration"), s.Duration)
	switch {
	case s.MaxDuration <= 0:
		v.problems.wrong(at.key("max_duration"), "expected a duration above zero, got %s", s.MaxDuration)
	case s.MaxDuration < s.Duration:
		v.problems.wrong(at.key("max_duration"), "max_duration (%s) cannot be shorter than duration (%s)", s.MaxDuration, s.Duration)
	}
	v.atLeast(at.key("min_requests"), s.MinRequests, 0)
	v.oneOf(at.key("advance_when"), s.AdvanceWhen, AdvanceNoRegression, AdvanceProven)
}

// bake checks the end of a policy: what the bake exposes must not be less than what the last step does.
func (v *validator) bake(p *Policy, at place) {
	v.notNegative(at.key("duration"), p.Bake.Duration)
	if p.Bake.Holdback == Whole {
		v.problems.wrong(at.key("holdback"), "a holdback of 100%% would leave the canary without traffic")
		return
	}
	if len(p.Steps) == 0 || p.Bake.Duration <= 0 {
		return
	}
	if last := p.Steps[len(p.Steps)-1].Weight; last > Whole-p.Bake.Holdback {
		v.problems.wrong(at.key("holdback"), "the bake would take the canary from %s back to %s; lower the holdback, end the steps "+
			"earlier, or set the bake's duration to 0", last, Whole-p.Bake.Holdback)
	}
}

// chance checks a probability of error: above zero, and not so large that it promises nothing.
func (v *validator) chance(at place, p Percent) {
	if p == 0 || p > Whole/2 {
		v.problems.wrong(at, "expected a percentage above 0%% and up to 50%%, got %s", p)
	}
}
