package config

import "slices"

// Levels are how early the user of a request wants to have what is new. Whoever opted in at a level has opted in at the later
// ones, too.
const (
	// LevelAlpha is the most adventurous.
	LevelAlpha = "alpha"
	// LevelBeta comes after alpha.
	LevelBeta = "beta"
	// LevelGeneral is everybody: what is generally available.
	LevelGeneral = "ga"
)

// levels are all of them, the earliest first.
func levels() []string { return []string{LevelAlpha, LevelBeta, LevelGeneral} }

// Ramp lets the canary's weight grow by itself, as fast as evidence and budget allow: at most twofold each time, when nothing
// leans to harm, and only as far as the failures that a canary would cost until it is found, if it were as bad as could not be
// excluded yet, fit what may still be spent. The way is from from to to; after it comes the bake.
type Ramp struct {
	// From is the first weight. Above 0%. Default 1%.
	From Percent `yaml:"from"`
	// To is the last weight, below 95% so that there is something to compare with. Default 50%.
	To Percent `yaml:"to"`
	// Every is the shortest time on a weight, the last one included, counted while traffic flows. Default 1m.
	Every Duration `yaml:"every"`
	// MaxDuration is the longest time on the way before a person is asked, never below every. Default 2h.
	MaxDuration Duration `yaml:"max_duration"`
	// MinRequests is the number of judged canary requests, at all weights together, below which the weight does not grow. At
	// least 1. Default 50.
	MinRequests int `yaml:"min_requests"`
	// MaxFailures bounds the failed canary requests that are risked: those that a regression which is not excluded yet would
	// cost until it is found. What is left of the budget bounds them as well. Zero, the default, for the budget alone or,
	// without a budget, for 50.
	MaxFailures int `yaml:"max_failures"`
	// AdvanceWhen is the condition to leave the last weight: "no_regression" or "proven", as for a step. Default
	// "no_regression".
	AdvanceWhen string `yaml:"advance_when"`
	// Approval makes the end of the ramp wait for a person to promote it. Default false.
	Approval bool `yaml:"approval"`
}

func (r *Ramp) setDefaults() {
	*r = Ramp{
		From: percentUnit, To: 50 * percentUnit, Every: minutes(1), MaxDuration: minutes(120), MinRequests: 50,
		AdvanceWhen: AdvanceNoRegression,
	}
}

// switchOff takes a ramp away that a merge or an override brings.
func (*Ramp) absentWhenOff() {}

// completeRamp gives a ramp what it takes from the time on a weight.
func (p *Policy) completeRamp(at place) {
	if p.Ramp != nil && !at.key("max_duration").written() {
		p.Ramp.MaxDuration = max(p.Ramp.MaxDuration, p.Ramp.Every)
	}
}

// step is the ramp as the one step that a release makes of it.
func (r *Ramp) step() Step {
	return Step{
		Name: "ramp " + r.From.String() + " to " + r.To.String(), Weight: r.To, Strength: Whole,
		Duration: r.Every, MaxDuration: r.MaxDuration, MinRequests: r.MinRequests,
		AdvanceWhen: r.AdvanceWhen, Approval: r.Approval,
	}
}

// Steady is the policy as a release goes through it: a ramp stands in it as its one step.
func (p *Policy) Steady() Policy {
	steady := *p
	if p.Ramp != nil {
		steady.Steps = []Step{p.Ramp.step()}
	}
	return steady
}

// Group names those whom the step exposes besides its weight, for people: its segment, who opted in, or both. Empty for none.
func (s *Step) Group() string { return JoinGroup(s.Segment, s.OptIn) }

// JoinGroup names a segment and those who opted in at a level, for people; either may be empty.
func JoinGroup(segment, optIn string) string {
	if segment != "" && optIn != "" {
		return segment + " or " + optIn
	}
	return segment + optIn
}

// OptIn says how a request tells that its user wants to have what is new early: one of the words alpha, beta and ga. The first
// place that holds such a word counts, in the order of query, field and cookie, and then the tenant's default. Everybody else
// is ga.
type OptIn struct {
	// Query is the name of a query parameter whose value is the word.
	Query string `yaml:"query,omitempty"`
	// Field is the name of a request field whose value is the word.
	Field string `yaml:"field,omitempty"`
	// Cookie is the name of a cookie whose value is the word.
	Cookie string `yaml:"cookie,omitempty"`
	// Tenants maps tenants to their words. Needs the header of tenants, which names the tenant of a request.
	Tenants map[string]string `yaml:"tenants,omitempty"`
}

func (*OptIn) absentWhenOff() {}

// checkNames are what a step's list of checks can name.
func (c *Checks) checkNames() []string {
	return slices.Concat([]string{groupErrors}, names(c.Latency), names(c.Events))
}
