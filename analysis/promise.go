package analysis

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Check is one measured promise about a stream of good and bad requests. It compares the canary with stable, unless Max or
// Bound makes it absolute: then it judges the canary alone, whatever stable does.
type Check struct {
	// Name is the word for the check in verdicts; unique. Required.
	Name string
	// Quantile is zero for the share of bad requests. Otherwise the check is about latencies around this quantile, between 0
	// and 1: 0.99 asks whether the canary exceeds stable's p99, with the tolerance, more often than stable exceeds it without.
	Quantile float64
	// Relative is the allowed growth: 0.1 allows 10 % more errors than stable, or a latency 10 % longer. Zero allows none.
	Relative float64
	// Absolute is allowed on top of it: 0.001 is 0.1 points of a percent. Not for a quantile. Zero allows nothing.
	Absolute float64
	// Slack is allowed on top of the relative growth of a latency. For a quantile only. Zero allows nothing.
	Slack time.Duration
	// Max makes the check absolute: the share of the canary's requests that may be bad, between 0 and 1; 0.01 is "at most 1 %".
	// Not for a quantile, and without Relative and Absolute. Zero: the check compares.
	Max float64
	// Bound makes a check of a latency absolute: at most the share 1-Quantile of the canary's requests may take longer, so
	// 0.99 and 300 ms are "p99 at most 300 ms". Without Relative and Slack. Zero: the check compares.
	Bound time.Duration
	// Event is what counts as bad. Zero: a failed request. N: what Block.CanaryEvents and Block.StableEvents count in place N-1,
	// for example an answer 429 or a client that gave up. Not for a quantile.
	Event int
	// Words say what a bad request is, after a number of requests: "answered 429". Default "failed", for a latency "slower
	// than the limit", for an event `with "NAME"`.
	Words string
	// Meaning says exactly what a bad request is, in any words that change with it: evidence is of one meaning, and a check that
	// has another one starts with none. With a meaning, an event may get another number and keeps its evidence. Default:
	// failed requests, or the event of that number.
	Meaning string
	// Share is the part of Alpha that this check may use, if it is critical. Zero: half of Alpha is shared equally by the
	// critical checks of bad requests and half by those of latency.
	Share float64
	// Critical says that a fail of this check is a fail of the whole verdict. A fail of another one costs score, and nothing
	// passes as a whole with it.
	Critical bool
	// Muted makes the check a dry run: its verdict is shown and counts for nothing, neither for the class nor for the score,
	// also when it is critical. It takes no part of Alpha.
	Muted bool
	// Group is where the check counts in the score: it is the mean of its group's scores, each group with its weight
	// (Settings.Groups). Default "latency" for a quantile, else "errors".
	Group string
	// MinRequests is the number of canary requests below which there is no data; a fail needs no minimum. Zero: 50, or
	// 5/(1-Quantile) where that is more.
	MinRequests uint64
	// Window is the length of a burst window: the evidence of one window is capped. Default 1s, for a quantile 5s.
	Window time.Duration
	// Windows is how many separate windows must speak against the canary. Default 3, at least 1.
	Windows int
	// Metric makes it a check of a business metric. A metric needs a Meaning.
	Metric Metric
}

// maxEvents bounds Check.Event: it is an index, and a large one is a mistake.
const maxEvents = 64

func (c *Check) validate() error {
	switch {
	case c.Name == "":
		return errors.New("a check has no name")
	case !(c.Quantile >= 0 && c.Quantile < 1):
		return fmt.Errorf("check %q: quantile %v must lie between 0 and 1", c.Name, c.Quantile)
	case !(c.Relative >= 0) || math.IsInf(c.Relative, 0):
		return fmt.Errorf("check %q: relative tolerance %v must not be negative", c.Name, c.Relative)
	case !(c.Absolute >= 0 && (c.Absolute <= 1 || c.reading())):
		return fmt.Errorf("check %q: absolute tolerance %v must lie between 0 and 1", c.Name, c.Absolute)
	case c.Slack < 0 || c.Window < 0 || c.Windows < 1:
		return fmt.Errorf("check %q: slack and window must not be negative, windows at least 1", c.Name)
	case !(c.Share > 0 && c.Share <= 1):
		return fmt.Errorf("check %q: share %v must lie between 0 and 1", c.Name, c.Share)
	case c.Event < 0 || c.Event > maxEvents || c.Event > 0 && c.latency():
		return fmt.Errorf("check %q: event %d must lie between 0 and %d, and 0 for a latency", c.Name, c.Event, maxEvents)
	}
	if err := c.validateMetric(); err != nil {
		return err
	}
	return c.validateAbsolute()
}

func (c *Check) validateAbsolute() error {
	switch {
	case !(c.Max >= 0 && c.Max < 1) || c.Bound < 0:
		return fmt.Errorf("check %q: max %v must lie between 0 and 1, bound %v must not be negative", c.Name, c.Max, c.Bound)
	case c.Max > 0 && c.latency() || c.Bound > 0 && !c.latency():
		return fmt.Errorf("check %q: max is for shares of bad requests, bound for quantiles", c.Name)
	case c.absolute() && (c.Relative > 0 || c.Absolute > 0 || c.Slack > 0):
		return fmt.Errorf("check %q: an absolute check has no tolerance besides its maximum", c.Name)
	}
	return nil
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
	if c.Group == "" {
		c.Group = groupErrors
		if c.latency() {
			c.Group = groupLatency
		}
	}
	if c.Share == 0 {
		c.Share = defaultShare(c, all)
	}
}

// defaultShare is half of alpha, divided by the critical checks of the same kind. A check that is only shown takes nothing
// from the others: it has an alpha of its own.
func defaultShare(c *Check, all []Check) float64 {
	if !c.fatal() || c.reading() {
		return 1
	}
	same := 0
	for i := range all {
		if all[i].fatal() && !all[i].reading() && all[i].latency() == c.latency() {
			same++
		}
	}
	return 0.5 / float64(same)
}

// latency says whether the check is about latencies; otherwise it is about the share of bad requests.
func (c *Check) latency() bool { return c.Quantile > 0 }

// absolute says whether the check judges the canary alone.
func (c *Check) absolute() bool { return c.Max > 0 || c.Bound > 0 }

// fatal says whether a fail of the check is one of the whole.
func (c *Check) fatal() bool { return c.Critical && !c.Muted }

// rho and delta are the tolerance of the stream: the canary may be bad with probability rho * stable + delta. The tolerance
// of a latency is in its thresholds already; an absolute check does not look at stable.
func (c *Check) rho() float64 {
	switch {
	case c.absolute():
		return 0
	case c.latency():
		return 1
	case c.Metric.Falls:
		return 1 - c.Relative // what is counted is what did not happen; see delta
	}
	return 1 + c.Relative
}

func (c *Check) delta() float64 {
	switch {
	case c.absolute() && c.latency():
		return 1 - c.Quantile
	case c.absolute():
		return c.Max
	case c.latency():
		return 0
	case c.Metric.Falls: // 1-p of at most 1 - (1-Relative) (1-s) - Absolute is s's share less by Relative and Absolute
		return c.Relative + c.Absolute
	}
	return c.Absolute
}
