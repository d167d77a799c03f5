package config

import "slices"

// stages checks what a policy says about stages, checks of steps, early users, the ramp and patches.
func (v *validator) stages(p *Policy, at, top place) {
	seen := map[string]bool{}
	for i := range p.Steps {
		s, in := &p.Steps[i], at.key("steps").item(i)
		if s.Stage != "" {
			v.name(in.key("stage"), "stage", s.Stage)
			if seen[s.Stage] && p.Steps[i-1].Stage != s.Stage {
				v.problems.wrong(in.key("stage"), "the steps of a stage follow each other; the stage %q has ended already", s.Stage)
			}
			seen[s.Stage] = true
		}
		v.level(s.OptIn, in.key("opt_in"))
		v.stepChecks(p, i, at)
	}
	if p.Ramp != nil {
		v.ramp(p, at)
	}
	v.share(at.key("restart_factor"), p.RestartFactor)
	if p.Patch != "" {
		v.reference(at.key("patch"), p.Patch, "policy", top.key("policies"), names(v.c.Policies))
	}
}

// level checks the level of early users that a step exposes.
func (v *validator) level(optIn string, at place) {
	switch {
	case optIn == "" && !at.written():
	case optIn == LevelGeneral:
		v.problems.wrong(at, `expected alpha or beta, got "ga", which is everybody; that is what weight is for`)
	default:
		v.oneOf(at, optIn, LevelAlpha, LevelBeta)
	}
}

// stepChecks checks the names of the checks that count on a step.
func (v *validator) stepChecks(p *Policy, step int, at place) {
	list, in := p.Steps[step].Checks, at.key("steps").item(step).key("checks")
	if len(list) == 0 && in.written() {
		v.problems.wrong(in, "at least one check has to count; leave the key out for all")
	}
	for i, name := range list {
		v.reference(in.item(i), name, "check", at.key("checks"), p.Checks.checkNames())
		if slices.Contains(list[:i], name) {
			v.problems.wrong(in.item(i), "%q is listed twice", name)
		}
	}
}

func (v *validator) ramp(p *Policy, policy place) {
	r, at := p.Ramp, policy.key("ramp")
	if len(p.Steps) > 0 {
		v.problems.wrong(at, "ramp and steps exclude each other: a ramp makes its own steps")
	}
	v.share(at.key("from"), r.From)
	switch {
	case r.To < r.From:
		v.problems.wrong(at.key("to"), "the weight cannot fall: %s comes after %s", r.To, r.From)
	case r.To.Ratio() >= 0.95:
		v.problems.wrong(at.key("to"), "expected a percentage below 95%%, got %s: the canary must be compared with something", r.To)
	}
	v.positive(at.key("every"), r.Every)
	if r.MaxDuration < r.Every {
		v.problems.wrong(at.key("max_duration"), "max_duration (%s) cannot be shorter than every (%s)", r.MaxDuration, r.Every)
	}
	v.atLeast(at.key("min_requests"), r.MinRequests, 1)
	v.atLeast(at.key("max_failures"), r.MaxFailures, 0)
	v.oneOf(at.key("advance_when"), r.AdvanceWhen, AdvanceNoRegression, AdvanceProven)
	if p.Bake.Duration > 0 && r.To > Whole-p.Bake.Holdback {
		v.problems.wrong(policy.key("bake").key("holdback"), "the bake would take the canary from %s back to %s; lower the holdback, "+
			"end the ramp earlier, or set the bake's duration to 0", r.To, Whole-p.Bake.Holdback)
	}
}

// release checks how a service is released: what it lays over its policy, its policy for patches and its early users.
func (v *validator) release(s *Service, at, top place) {
	if _, known := v.c.Policies[s.Policy]; known && s.PolicyOverrides != nil {
		v.policy(s.PolicyOverrides, at.key("policy_overrides"), top)
		if s.PatchOverrides != nil {
			v.policy(s.PatchOverrides, at.key("policy_overrides"), top)
		}
	}
	if s.Patch != "" {
		v.reference(at.key("patch"), s.Patch, "policy", top.key("policies"), names(v.c.Policies))
	}
	if s.OptIn != nil {
		v.optIn(s, at.key("opt_in"))
	} else if s.Canary != "" {
		v.earlyUsers(s, at)
	}
}

// earlyUsers reports steps for users of whom nobody can know that they opted in.
func (v *validator) earlyUsers(s *Service, at place) {
	named, patch := v.c.Policies[s.Policy], v.c.Policies[v.c.patchPolicy(s)]
	for _, p := range []*Policy{&named, s.PolicyOverrides, &patch} {
		if p != nil && slices.ContainsFunc(p.Steps, func(step Step) bool { return step.OptIn != "" }) {
			v.problems.wrong(at, "its policy has a step for users who opted in; opt_in has to say how a request tells")
			return
		}
	}
}

func (v *validator) optIn(s *Service, at place) {
	o := s.OptIn
	v.keyNames(&Key{Cookie: o.Cookie, Query: o.Query}, at)
	if o.Field != "" && !isToken(o.Field) {
		v.problems.wrong(at.key("field"), "%q is not the name of a field", o.Field)
	}
	if o.Query == "" && o.Field == "" && o.Cookie == "" && len(o.Tenants) == 0 {
		v.problems.wrong(at, "expected at least one of query, field, cookie and tenants")
	}
	if len(o.Tenants) > 0 && (s.Tenants == nil || s.Tenants.Header == "") {
		v.problems.wrong(at.key("tenants"), "this needs the field that names the tenant; add tenants: {header: ...} to the service")
	}
	for _, tenant := range names(o.Tenants) {
		v.oneOf(at.key("tenants").key(tenant), o.Tenants[tenant], levels()...)
	}
}
