package rollout

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// The check of failed requests, and what follows the name of a check that has a maximum. A check's name in a configuration has
// no space, so that no other one is called like this.
const (
	checkErrors = "errors"
	suffixMax   = " max"
)

// settings is what the policy asks of the judge.
func settings(p *config.Policy) analysis.Settings {
	s := analysis.Settings{
		Alpha:  p.Alpha.Ratio(),
		Beta:   p.Beta.Ratio(),
		WarmUp: time.Duration(p.Checks.WarmUp),
		Checks: errorChecks(&p.Checks.Errors),
	}
	if s.WarmUp == 0 {
		s.WarmUp = -1 // to the judge zero is its default
	}
	for _, name := range levels(p.Checks.Latency) {
		l := p.Checks.Latency[name]
		s.Checks = append(s.Checks, latencyChecks(name, &l)...)
	}
	for i, name := range eventNames(&p.Checks) {
		e := p.Checks.Events[name]
		s.Checks = append(s.Checks, eventChecks(name, i+1, &e)...)
	}
	s.Checks = append(s.Checks, metricChecks(&p.Checks)...)
	if p.Partial != nil {
		s.Checks = append(s.Checks, partChecks(p)...)
		shareOut(s.Checks)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Checks.Groups)) {
		s.Groups = append(s.Groups, analysis.Group{Name: name, Weight: p.Checks.Groups[name].Ratio()})
	}
	return s
}

// levels are the names of latency checks, from the lowest quantile to the highest.
func levels(checks config.LatencyChecks) []string {
	return slices.SortedFunc(maps.Keys(checks), func(a, b string) int {
		return cmp.Or(cmp.Compare(checks[a].Quantile, checks[b].Quantile), cmp.Compare(a, b))
	})
}

// rateRule is what checks of a share of the requests have in common.
type rateRule struct {
	relative, absolute, max config.Percent
	critical, muted         bool
	group                   string
	minRequests, windows    int
	window                  config.Duration
	on                      config.Outcomes
}

func errorRule(c *config.ErrorCheck) rateRule {
	return rateRule{
		relative: c.Relative, absolute: c.Absolute, max: c.Max, critical: c.Critical, muted: c.Muted, group: c.Group,
		minRequests: c.MinRequests, window: c.Window, windows: c.Windows, on: c.On,
	}
}

func eventRule(c *config.EventCheck) rateRule {
	return rateRule{
		relative: c.Relative, absolute: c.Absolute, max: c.Max, critical: c.Critical, muted: c.Muted, group: c.Group,
		minRequests: c.MinRequests, window: c.Window, windows: c.Windows, on: c.On,
	}
}

// judged is what the rule adds to a check that compares.
func (s *rateRule) judged(check analysis.Check) analysis.Check {
	check.Relative, check.Absolute = s.relative.Ratio(), s.absolute.Ratio()
	check.Critical, check.Muted, check.Group = fatal(&s.on, s.critical), s.muted, s.group
	check.MinRequests = uint64(max(1, s.minRequests))
	check.Window, check.Windows = time.Duration(s.window), s.windows
	return check
}

// errorChecks are the check that compares and, if there is a maximum, the one that does not.
func errorChecks(c *config.ErrorCheck) []analysis.Check {
	s := errorRule(c)
	return withMax(s.judged(analysis.Check{Name: checkErrors, Meaning: failureMeaning(c)}), s.max)
}

// eventChecks are the same for the event of that number.
func eventChecks(name string, number int, c *config.EventCheck) []analysis.Check {
	s := eventRule(c)
	return withMax(s.judged(analysis.Check{Name: name, Event: number, Words: eventWords(c), Meaning: eventMeaning(c)}), s.max)
}

// withMax adds the check that does not compare, if there is a maximum.
func withMax(compared analysis.Check, most config.Percent) []analysis.Check {
	if most == 0 {
		return []analysis.Check{compared}
	}
	alone := compared
	alone.Name += suffixMax
	alone.Relative, alone.Absolute, alone.Max = 0, 0, most.Ratio()
	return []analysis.Check{compared, alone}
}

// latencyChecks are the same for a quantile.
func latencyChecks(name string, c *config.LatencyCheck) []analysis.Check {
	compared := analysis.Check{
		Name:        name,
		Quantile:    c.Quantile.Ratio(),
		Relative:    c.Relative.Ratio(),
		Slack:       time.Duration(c.Absolute),
		Critical:    fatal(&c.On, c.Critical),
		Muted:       c.Muted,
		Group:       c.Group,
		MinRequests: uint64(max(1, c.MinRequests)),
		Window:      time.Duration(c.Window),
		Windows:     c.Windows,
	}
	if c.Max == 0 {
		return []analysis.Check{compared}
	}
	alone := compared
	alone.Name += suffixMax
	alone.Relative, alone.Slack, alone.Bound = 0, 0, time.Duration(c.Max)
	return []analysis.Check{compared, alone}
}

// sameChecks says whether two policies make the same promises. Lists that name the same requests are the same.
func sameChecks(a, b *config.Checks) bool {
	return a.WarmUp == b.WarmUp && maps.Equal(a.Latency, b.Latency) && maps.Equal(a.Groups, b.Groups) &&
		sameErrors(&a.Errors, &b.Errors) && maps.EqualFunc(a.Events, b.Events, sameEvent) && maps.Equal(a.Metrics, b.Metrics)
}

func sameErrors(a, b *config.ErrorCheck) bool {
	return failureMeaning(a) == failureMeaning(b) && errorRule(a) == errorRule(b)
}

func sameEvent(a, b config.EventCheck) bool {
	return eventMeaning(&a) == eventMeaning(&b) && eventRule(&a) == eventRule(&b)
}

// sameSettings says whether two judges would judge alike.
func sameSettings(a, b *analysis.Settings) bool {
	return a.Alpha == b.Alpha && a.Beta == b.Beta && a.WarmUp == b.WarmUp && slices.Equal(a.Checks, b.Checks) &&
		slices.Equal(a.Groups, b.Groups)
}
