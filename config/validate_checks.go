package config

import "slices"

// maxEvents bounds the checks of events: each one takes from what the others may prove.
const maxEvents = 4

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
	for _, name := range names(c.Events) {
		in, e := at.key("events").key(name), c.Events[name]
		v.eventName(name, c, in)
		v.eventCheck(&e, in)
		if !slices.Contains(groups, e.Group) {
			groups = append(groups, e.Group)
		}
	}
	if len(c.Events) > maxEvents {
		v.problems.wrong(at.key("events"), "expected at most %d events, got %d", maxEvents, len(c.Events))
	}
	v.notNegative(at.key("warm_up"), c.WarmUp)
	v.groups(c.Groups, unitedGroups(groups, v.metrics(c, at)), at)
}

func (v *validator) errorCheck(c *ErrorCheck, at place) {
	v.statuses(at.key("statuses"), c.Statuses, firstStatus)
	v.belowWhole(at.key("max"), c.Max)
	v.name(at.key("group"), "group", c.Group)
	v.atLeast(at.key("min_requests"), c.MinRequests, 0)
	v.windows(c.Window, c.Windows, at)
	v.outcomesOf(&c.On, at.key("on"))
}

// eventName checks that a check of events has a name of its own.
func (v *validator) eventName(name string, c *Checks, at place) {
	v.name(at, "check", name)
	if name == groupErrors {
		v.problems.wrong(at, "the check of failed requests is called %q already", name)
	}
	if _, ok := c.Latency[name]; ok {
		v.problems.wrong(at, "there is a check of latency that is called %q already", name)
	}
}

func (v *validator) eventCheck(c *EventCheck, at place) {
	if len(c.Statuses) == 0 && len(c.Outcomes) == 0 && !v.problems.unread(at) {
		v.problems.wrong(at, "at least one of statuses and outcomes is required")
	}
	v.statuses(at.key("statuses"), c.Statuses, firstStatus)
	for i, outcome := range c.Outcomes {
		in := at.key("outcomes").item(i)
		v.oneOf(in, outcome, outcomes()...)
		if slices.Contains(c.Outcomes[:i], outcome) {
			v.problems.wrong(in, "%q is listed twice", outcome)
		}
	}
	v.belowWhole(at.key("max"), c.Max)
	v.name(at.key("group"), "group", c.Group)
	v.atLeast(at.key("min_requests"), c.MinRequests, 0)
	v.windows(c.Window, c.Windows, at)
	v.outcomesOf(&c.On, at.key("on"))
}

// outcomes are the ends of a request that a check of events can count.
func outcomes() []string {
	return []string{"connect", "timeout", "reset", "truncated", "malformed", "refused", "stalled", "client_gone"}
}

// belowWhole reports a bound that allows everything.
func (v *validator) belowWhole(at place, p Percent) {
	if p.Ratio() >= 1 {
		v.problems.wrong(at, "expected a percentage below 100%%, got %s", p)
	}
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
	v.outcomesOf(&c.On, at.key("on"))
}

// windows checks the burst windows of a check.
func (v *validator) windows(length Duration, count int, at place) {
	v.positive(at.key("window"), length)
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
