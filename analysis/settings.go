package analysis

import (
	"errors"
	"fmt"
	"math"
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
}

// Check is one measured promise about a stream of good and bad requests.
type Check struct {
	// Name is the word for the check in verdicts; unique. Required.
	Name string
	// Quantile is zero for the error rate. Otherwise the check compares latencies around this quantile, between 0 and 1:
	// 0.99 asks whether the canary exceeds stable's p99, with the tolerance, more often than stable exceeds it without.
	Quantile float64
	// Relative is the allowed growth: 0.1 allows 10 % more errors than stable, or a latency 10 % longer. Zero allows none.
	Relative float64
	// Absolute is allowed on top of it: 0.001 is 0.1 points of a percent. For the error rate only. Zero allows nothing.
	Absolute float64
	// Slack is allowed on top of the relative growth of a latency. For a quantile only. Zero allows nothing.
	Slack time.Duration
	// Share is the part of Alpha that this check may use, if it is critical. Zero: half of Alpha is shared equally by the
	// critical checks of the error rate and half by those of latency.
	Share float64
	// Critical says that a fail of this check is a fail of the whole verdict. Other checks are only shown.
	Critical bool
	// MinRequests is the number of canary requests below which there is no data; a fail needs no minimum. Zero: 50, or
	// 5/(1-Quantile) where that is more.
	MinRequests uint64
	// Window is the length of a burst window: the evidence of one window is capped. Default 1s, for a quantile 5s.
	Window time.Duration
	// Windows is how many separate windows must speak against the canary. Default 3, at least 1.
	Windows int
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
		if c.Critical {
			shares += c.Share
		}
		if err := c.validate(); err != nil {
			bad = append(bad, err)
		}
	}
	if shares > 1+1e-9 {
		bad = append(bad, fmt.Errorf("the critical checks share %v of alpha, more than all of it", shares))
	}
	return errors.Join(bad...)
}

func (c *Check) validate() error {
	switch {
	case c.Name == "":
		return errors.New("a check has no name")
	case !(c.Quantile >= 0 && c.Quantile < 1):
		return fmt.Errorf("check %q: quantile %v must lie between 0 and 1", c.Name, c.Quantile)
	case !(c.Relative >= 0) || math.IsInf(c.Relative, 0):
		return fmt.Errorf("check %q: relative tolerance %v must not be negative", c.Name, c.Relative)
	case !(c.Absolute >= 0 && c.Absolute <= 1):
		return fmt.Errorf("check %q: absolute tolerance %v must lie between 0 and 1", c.Name, c.Absolute)
	case c.Slack < 0 || c.Window < 0 || c.Windows < 1:
		return fmt.Errorf("check %q: slack and window must not be negative, windows at least 1", c.Name)
	case !(c.Share > 0 && c.Share <= 1):
		return fmt.Errorf("check %q: share %v must lie between 0 and 1", c.Name, c.Share)
	}
	return nil
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

func (c *Check) fill(all []Check) {
	if c.MinRequests == 0 {
		c.MinRequests = 50
		if need := math.Ceil(5/(1-c.Quantile) - 1e-6); c.latency() && need > 50 && need < 1e9 {
			c.MinRequests = uint64(need)
		}
	}
	if c.Windows == 0 {
		c.Windows = 3
	}
	if c.latency() {
		orDuration(&c.Window, 5*time.Second)
	} else {
		orDuration(&c.Window, time.Second)
	}
	if c.Share == 0 {
		c.Share = defaultShare(c, all)
	}
}

// defaultShare is half of alpha, divided by the critical checks of the same kind. A check that is only shown takes nothing
// from the others: it has an alpha of its own.
func defaultShare(c *Check, all []Check) float64 {
	if !c.Critical {
		return 1
	}
	same := 0
	for i := range all {
		if all[i].Critical && all[i].latency() == c.latency() {
			same++
		}
	}
	return 0.5 / float64(same)
}

// latency says whether the check compares latencies; otherwise it compares error rates.
func (c *Check) latency() bool { return c.Quantile > 0 }

// rho and delta are the tolerance of the stream: the canary may be bad with probability rho * stable + delta. The tolerance
// of a latency is in its thresholds already.
func (c *Check) rho() float64 {
	if c.latency() {
		return 1
	}
	return 1 + c.Relative
}

func (c *Check) delta() float64 {
	if c.latency() {
		return 0
	}
	return c.Absolute
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
