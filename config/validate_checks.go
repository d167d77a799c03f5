package config

import "slices"

func (v *validator) checks(c *Checks, at place) {
	v.errorCheck(&c.Errors, at.key("errors"))
	groups := []string{c.Errors.Group}
	for _, name := range names(c.Latency) {
		in, l := at.key("latency").key(name), c.Latency[name]
		v.latencyCheck(name, &l, in)
		if !slices.Contains(groups, l.Group) {
			groups = append(groups, l.Group)
		}
	}
	v.notNegative(at.key("warm_up"), c.WarmUp)
	v.groups(c.Groups, groups, at)
}

func (v *validator) errorCheck(c *ErrorCheck, at place) {
	if c.Max.Ratio() >= 1 {
		v.problems.wrong(at.key("max"), "expected a percentage below 100%%, got %s", c.Max)
	}
	v.name(at.key("group"), "group", c.Group)
	v.atLeast(at.key("min_requests"), c.MinRequests, 0)
	v.windows(c.Window, c.Windows, at)
}

func (v *validator) latencyCheck(name string, c *LatencyCheck, at place) {
	v.name(at, "check", name)
	if name == groupErrors {
		v.problems.wrong(at, "the check of failed requests is called %q already", name)
	}
	switch q := at.key("quantile"); {
	case c.Quantile == 0 && !q.written():
		v.problems.wrong(at, "the quantile is missing; only names such as p50, p99 and p999 say it themselves")
	case c.Quantile.Ratio() <= 0 || c.Quantile.Ratio() >= 1:
		v.problems.wrong(q, "expected a percentage above 0%% and below 100%%, got %s", c.Quantile)
	}
	v.notNegative(at.key("absolute"), c.Absolute)
	v.notNegative(at.key("max"), c.Max)
	v.name(at.key("group"), "group", c.Group)
	v.atLeast(at.key("min_requests"), c.MinRequests, 0)
	v.windows(c.Window, c.Windows, at)
}

// windows checks the burst windows of a check.
func (v *validator) windows(length Duration, count int, at place) {
	if length <= 0 {
		v.problems.wrong(at.key("window"), "expected a duration above zero, got %s", length)
	}
	v.atLeast(at.key("windows"), count, 1)
}

// groups checks the weights of groups. known are the groups that checks belong to.
func (v *validator) groups(weights map[string]Percent, known []string, checks place) {
	at := checks.key("groups")
	var sum Percent
	for _, name := range names(weights) {
		v.reference(at.key(name), name, "group of checks", checks, known)
		if sum <= Whole { // no further: it must not overflow
			sum += weights[name]
		}
	}
	if sum > Whole {
		v.problems.wrong(at, "the weights add up to more than 100%%")
	}
}
