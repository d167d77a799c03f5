package analysis

import (
	"errors"
	"fmt"
	"time"
)

// MaxStrata is the largest stratum number. Strata are numbered from 1; 0 is traffic that was not drawn at random.
const MaxStrata = 4

// maxWeight is the weight from which nothing is learnt any more: the inverse weights of the few stable requests would drown
// everything else in noise.
const maxWeight = 0.95

// Settings is what a judge is told once. The zero value of every field asks for the default that Defaults shows.
type Settings struct {
	// Alpha is the chance of a false fail in a whole rollout, between 0 and 1. Default 0.01.
	Alpha float64
	// Beta is the chance, for each check, of a false "shown within tolerance", between 0 and 1. Default 0.05.
	Beta float64
	// Checks are the measured promises. Default: the error rate alone.
	Checks []Check
	// Refresh is how often the picture of stable, from which the bets are made, is renewed. Default 5s.
	Refresh time.Duration
	// HalfLife is how fast that picture forgets. Default 60s.
	HalfLife time.Duration
	// RestartEvery is how often a part of the wealth is set aside for regressions that begin now. Default 60s.
	RestartEvery time.Duration
	// MinReference is the number of remembered stable requests from which a latency quantile is taken. Default 100.
	MinReference float64
	// WarmUp is the time after the first canary request in which latency is not judged (cold caches, just-in-time
	// compilers). Default 60s; negative for none.
	WarmUp time.Duration
	// Idle is how long no request at all may be seen before the verdict asks for a hold. Default 5s; the clock of a
	// service that gets less than a request in that time runs slower, in proportion.
	Idle time.Duration
	// NoCanary is how long the canary may get nothing, while stable has more traffic than chance explains, before the
	// verdict asks for a hold. Default 60s.
	NoCanary time.Duration
	// SickStable is the share of failed stable requests within ten seconds above which the verdict asks for a hold.
	// Default 0.2.
	SickStable float64
	// Groups are the weights of the groups of checks in the score. Groups that are not named share what is left equally.
	// Default: all groups weigh the same.
	Groups []Group
}

// Defaults is the judge of a policy that says nothing about it: the canary may fail 10 % more than stable plus 0.1 points.
func Defaults() Settings {
	return Settings{Checks: []Check{{Name: "errors", Relative: 0.10, Absolute: 0.001, Critical: true}}}.filled()
}

// LatencyChecks are the usual checks of p50, p90 and p99, to be appended to Settings.Checks.
func LatencyChecks() []Check {
	return []Check{
		{Name: "p50", Quantile: 0.50, Relative: 0.05, Slack: time.Millisecond, Critical: true},
		{Name: "p90", Quantile: 0.90, Relative: 0.10, Slack: time.Millisecond, Critical: true},
		{Name: "p99", Quantile: 0.99, Relative: 0.10, Slack: time.Millisecond, Critical: true},
	}
}

// Validate reports everything that no judge can work with. Zero values are fine: they ask for defaults.
func (s Settings) Validate() error {
	f := s.filled()
	var bad []error
	if !(f.Alpha > 0 && f.Alpha < 1) || !(f.Beta > 0 && f.Beta < 1) {
		bad = append(bad, fmt.Errorf("alpha %v and beta %v must lie between 0 and 1", s.Alpha, s.Beta))
	}
	if !(f.SickStable > 0) || f.MinReference < 1 || f.Refresh < 0 || f.HalfLife < 0 || f.RestartEvery < 0 {
		bad = append(bad, errors.New("refresh, half life, restarts, minimum reference and sick stable must be above 0"))
	}
	names := make(map[string]bool)
	shares := 0.0
	for i := range f.Checks {
		c := &f.Checks[i]
		if names[c.Name] {
			bad = append(bad, fmt.Errorf("check %q is there twice", c.Name))
		}
		names[c.Name] = true
		if c.fatal() && !c.reading() {
			shares += c.Share
		}
		if err := c.validate(); err != nil {
			bad = append(bad, err)
		}
	}
	if shares > 1+1e-9 {
		bad = append(bad, fmt.Errorf("the critical checks share %v of alpha, more than all of it", shares))
	}
	return errors.Join(append(bad, f.validateGroups()...)...)
}

// filled is a copy with every zero replaced by its default.
func (s Settings) filled() Settings {
	orFloat(&s.Alpha, 0.01)
	orFloat(&s.Beta, 0.05)
	orFloat(&s.MinReference, 100)
	orFloat(&s.SickStable, 0.2)
	orDuration(&s.Refresh, 5*time.Second)
	orDuration(&s.HalfLife, time.Minute)
	orDuration(&s.RestartEvery, time.Minute)
	orDuration(&s.WarmUp, time.Minute)
	orDuration(&s.Idle, 5*time.Second)
	orDuration(&s.NoCanary, time.Minute)
	if len(s.Checks) == 0 {
		s.Checks = []Check{{Name: "errors", Relative: 0.10, Absolute: 0.001, Critical: true}}
	}
	given := s.Checks
	s.Checks = make([]Check, len(given))
	copy(s.Checks, given)
	for i := range s.Checks {
		s.Checks[i].fill(given)
	}
	return s
}

func orFloat(v *float64, def float64) {
	if *v == 0 {
		*v = def
	}
}

func orDuration(v *time.Duration, def time.Duration) {
	if *v == 0 {
		*v = def
	}
}
