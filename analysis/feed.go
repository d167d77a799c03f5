package analysis

import (
	"math"
	"time"
)

// Report is what is told of a business metric that is not counted on requests: totals, a reading, or why there is none.
type Report struct {
	// Feed is the name of the feed (Metric.Feed); every check with that name takes it.
	Feed string
	// Problem says why there are no numbers this time; with one, nothing else is looked at. What was known before stays.
	Problem string
	// Canary and Stable are what came since the last report, each scaled to 0 to 1; for MetricGiven. Squares are not looked at.
	Canary, Stable Sums
	// CanaryValue and StableValue are what is read now; for MetricReading.
	CanaryValue, StableValue float64
}

// feed is what was told of a check last, and its JSON.
type feed struct {
	// At is when it was told numbers last, 0 for never. Problem is why there were none since.
	At      int64  `json:"at,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Canary and Stable are totals that wait for those of the other side.
	Canary Sums `json:"canary,omitzero"`
	Stable Sums `json:"stable,omitzero"`
	// CanaryValue and StableValue are the last reading, Beyond is how many in a row were beyond a threshold.
	CanaryValue float64 `json:"canary_value,omitempty"`
	StableValue float64 `json:"stable_value,omitempty"`
	Beyond      int     `json:"beyond,omitempty"`
}

// Take hears a report. Totals and comparisons are ignored while no traffic is drawn at random with a weight at which something can
// be learnt: then the variants serve different users. A feed that no check has is ignored too.
func (j *Judge) Take(now time.Time, r Report) {
	j.memory.Now = max(j.memory.Now, now.UnixNano())
	learning := j.learning()
	for i := range j.settings.Checks {
		c, k := &j.settings.Checks[i], &j.memory.Checks[i]
		if !c.fed() || c.Metric.Feed != r.Feed {
			continue
		}
		j.stale = true
		k.Feed.Problem = r.Problem
		if r.Problem != "" {
			continue
		}
		k.Feed.At = j.memory.Now
		switch {
		case c.reading():
			k.read(c, r.CanaryValue, r.StableValue, learning)
			if k.Feed.Beyond >= c.Metric.Failures && k.FailedAt == 0 {
				k.FailedAt = j.memory.Now
			}
		case learning:
			j.learnGiven(i, &r)
		}
	}
}

// read holds a reading against the thresholds.
func (k *checkState) read(c *Check, canary, stable float64, learning bool) {
	k.Feed.CanaryValue, k.Feed.StableValue = canary, stable
	k.CanaryTotal++
	k.StepCanary++
	m := &c.Metric
	beyond := m.Max.Set && canary > m.Max.Value || m.Min.Set && canary < m.Min.Value
	if learning && c.compares() {
		limit := c.limitOf(stable)
		beyond = beyond || m.Falls && canary < limit || !m.Falls && canary > limit
	}
	if !beyond {
		k.Feed.Beyond = 0
		return
	}
	k.Feed.Beyond++
}

// compares says whether a reading is held against stable's.
func (c *Check) compares() bool { return c.Relative > 0 || c.Absolute > 0 }

// limitOf is what a reading of stable allows the canary.
func (c *Check) limitOf(stable float64) float64 {
	room := c.Relative*max(stable, -stable) + c.Absolute
	if c.Metric.Falls {
		return stable - room
	}
	return stable + room
}

// allowedReading is the threshold that is nearest: of the tolerance against stable, where there is one, and of the numbers.
func (c *Check) allowedReading(stable float64) float64 {
	limit, m := math.Inf(1), &c.Metric
	if m.Falls {
		limit = math.Inf(-1)
	}
	if c.compares() {
		limit = c.limitOf(stable)
	}
	switch {
	case m.Falls && m.Min.Set:
		limit = max(limit, m.Min.Value)
	case !m.Falls && m.Max.Set:
		limit = min(limit, m.Max.Value)
	}
	if math.IsInf(limit, 0) { // the threshold is on the other side
		return m.Max.Value + m.Min.Value
	}
	return limit
}

// learnGiven bets on the totals of a report. Given how many there were of each side, n and m, the multiplier is the product of
//
//	1 + k (Y - delta - b) over the canary's,  1 - k (n/m) (rho Y - b) over stable's.
//
// Why that is valid without a draw at random: for outcomes that are independent given these numbers its expectation is the product
// of 1 + k (p - delta - b) and 1 - k (n/m) (rho p - b), and with log(1+y) <= y at most the exponential of k n (mean of the canary's p -
// delta - rho * mean of stable's p), so at most 1 where the canary's mean within the report is within tolerance of stable's; the
// rates may change within it as they like. So it is the game of the requests with n/(n+m) as the weight. Each report is a bet of its own
// (in the manner of the blocks of Turner, Ly and Grünwald 2021), around what earlier reports say of stable.
func (j *Judge) learnGiven(i int, report *Report) {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	canary, stable := report.Canary, report.Stable
	if c.Metric.Falls {
		canary, stable = canary.turned(), stable.turned()
	}
	k.Feed.Canary, k.Feed.Stable = k.Feed.Canary.plus(canary), k.Feed.Stable.plus(stable)
	canary, stable = k.Feed.Canary, k.Feed.Stable
	if canary.Count == 0 || stable.Count == 0 {
		return
	}
	k.Feed.Canary, k.Feed.Stable = Sums{}, Sums{}
	n, m := float64(canary.Count), float64(stable.Count)
	centre := guess(k.Sums.Stable, float64(k.StableTotal))
	weight := n / (n + m)
	if learnable(weight) {
		o := c.odds(weight, centre)
		var bets bets
		bets.harm.set(o, harm)
		bets.safe.set(o, mild)
		k.Harm.enter(j.memory.Now, &r.burst)
		k.Harm.betValues(harm, &bets.harm, canary, stable)
		k.Safe.betValues(safe, &bets.safe, canary, stable)
		k.Harm.settle(harm, r.burst.most)
		k.Safe.settle(safe, unguarded)
	}
	k.countValues(canary, stable, weight)
	k.Expected += n * stable.Sum / m
	k.Matched += n
	k.decide(j.memory.Now, r)
}

// silence says why a check has no numbers that count: empty when it has some.
func (k *checkState) silence(c *Check, now int64) (cause, text string) {
	switch age := now - k.Feed.At; {
	case !c.fed():
		return "", ""
	case k.Feed.Problem != "":
		return CauseError, k.Feed.Problem
	case k.Feed.At == 0:
		return CauseStale, "no numbers have come yet"
	case c.Metric.Stale > 0 && age > int64(c.Metric.Stale):
		return CauseStale, "the last numbers are " + span(age) + " old"
	}
	return "", ""
}

// The causes of no data that have a word.
const (
	// CauseError is a source of data that cannot be asked, or that answers with an error.
	CauseError = "error"
	// CauseStale is a source of data that says nothing any more.
	CauseStale = "stale"
)

// readingVerdict is the verdict of a check that is held against thresholds. It promises nothing about chance: a pass is the last word
// of the source, and is not what "shown within tolerance" is.
func (k *checkState) readingVerdict(c *Check, v *CheckVerdict, now int64) {
	v.Threshold, v.Alone = true, !c.compares()
	v.CanaryRate, v.StableRate, v.Mean = k.Feed.CanaryValue, k.Feed.StableValue, true
	v.Allowed = c.allowedReading(k.Feed.StableValue)
	v.Score, v.Evidence, v.Needed, v.ToleranceEvidence, v.ToleranceNeeded = 50, 1, 1, 1, 1
	v.MinRequests, v.Powered, v.Detectable, v.Gross, v.Missing = 0, false, 0, 0, 0
	v.Sees = "a threshold proves nothing; without a reading nothing is known"
	v.Readings, v.Beyond = k.CanaryTotal, k.Feed.Beyond
	v.CanaryTotal, v.StableTotal, v.StepCanary = 0, 0, 0
	cause, _ := k.silence(c, now)
	switch {
	case k.FailedAt != 0:
		v.Class, v.Score = Fail, 0
	case cause != "":
		v.Class, v.Cause = NoData, cause
	case k.Feed.Beyond > 0:
		v.Class, v.Score = Marginal, 50/float64(1+k.Feed.Beyond)
	default:
		v.Class, v.Score, v.Powered = Pass, 75, true
	}
	// Nobody waits for the proof of what promises none.
	v.Powered = v.Powered || !c.Critical
}
