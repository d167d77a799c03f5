package analysis

import (
	"math"
	"time"
)

// Verdict is what a judge has to say at the last moment it was told. It is a value: it does not change afterwards.
type Verdict struct {
	// Class is fail when a critical check failed, no_data when the error rate has none (or there is nothing to compare
	// with, and no absolute check), pass when every check passes, marginal otherwise. Muted checks do not count.
	Class Class `json:"class"`
	// Score is 0 for a proven regression, 50 for "we do not know", 100 for shown within tolerance.
	Score float64 `json:"score"`
	// Text is the verdict in one sentence.
	Text string `json:"sentence"`
	// Checks are the verdicts of the checks, in the order of the settings.
	Checks []CheckVerdict `json:"checks"`
	// Groups are the parts of the score.
	Groups []GroupScore `json:"groups"`
	// Learning says whether there is a weight at which the variants can be compared.
	Learning bool `json:"learning"`
	// StepUncompared is the canary requests of the step that were drawn with a weight at which nothing is learnt.
	StepUncompared uint64 `json:"step_uncompared"`
	// LastCanary and LastStable are when requests of the variants were last seen; zero for never.
	LastCanary time.Time `json:"last_canary,omitzero"`
	LastStable time.Time `json:"last_stable,omitzero"`
	// Hold is what speaks for stopping the clock of the step; empty for nothing.
	Hold []Hold `json:"hold,omitempty"`
}

// Sentence is the verdict in plain words.
func (v Verdict) Sentence() string { return v.Text }

// CheckVerdict is the verdict of one check with the numbers that explain it.
type CheckVerdict struct {
	// Name is the check.
	Name string `json:"name"`
	// Class is the verdict, Score its place between 0 (regression proven) and 100 (shown within tolerance).
	Class Class   `json:"class"`
	Score float64 `json:"score"`
	// Critical says whether a fail of this check is a fail of the whole. Never with Muted, which says that the check counts
	// for nothing: it is only shown.
	Critical bool `json:"critical"`
	Muted    bool `json:"muted,omitempty"`
	// Group is the check's group in the score.
	Group string `json:"group"`
	// Alone says that the check is absolute: there is no stable in it, and Allowed is its maximum.
	Alone bool `json:"alone,omitempty"`
	// CanaryBad, CanaryTotal, StableBad and StableTotal are the compared requests of the rollout.
	CanaryBad   uint64 `json:"canary_bad"`
	CanaryTotal uint64 `json:"canary_total"`
	StableBad   uint64 `json:"stable_bad"`
	StableTotal uint64 `json:"stable_total"`
	// StepCanary is the compared canary requests of the step, MinRequests how many are needed to say anything.
	StepCanary  uint64 `json:"step_canary"`
	MinRequests uint64 `json:"min_requests"`
	// CanaryRate is the bad share of the canary, CanaryLow and CanaryHigh its 95 % interval (it describes, nothing is
	// decided by it).
	CanaryRate float64 `json:"canary_rate"`
	CanaryLow  float64 `json:"canary_low"`
	CanaryHigh float64 `json:"canary_high"`
	// StableRate is the bad share of stable at the times when the canary had its requests, Allowed what it allows the
	// canary.
	StableRate float64 `json:"stable_rate"`
	Allowed    float64 `json:"allowed"`
	// Evidence N says "1 in N against chance" that the canary is beyond the tolerance: now, and at its highest once the
	// check has failed. Never below 1. Needed is the N of a fail.
	Evidence float64 `json:"evidence"`
	Needed   float64 `json:"needed"`
	// ToleranceEvidence and ToleranceNeeded are the same for "shown within tolerance".
	ToleranceEvidence float64 `json:"tolerance_evidence"`
	ToleranceNeeded   float64 `json:"tolerance_needed"`
	// Detectable is what the check could have seen: a canary with this bad rate in all compared requests would have failed
	// by now in four of five cases. 0: it is too early to see even a canary that is always bad. A canary that is worse
	// than allowed but not that bad may well be still undecided.
	Detectable float64 `json:"detectable,omitempty"`
	// Gross is the bad rate of a regression that nobody wants to overlook: three times the odds of what is allowed, and at
	// least a point more. Powered says that Detectable has come down to it: what a step should wait for that is not to be
	// "proven".
	Gross   float64 `json:"gross"`
	Powered bool    `json:"powered"`
	// Missing is how many more compared canary requests it takes, at the present weight, until it is Powered. 0 when it is,
	// and when no number is known.
	Missing uint64 `json:"missing,omitempty"`
	// Sees says in plain words what could have been seen so far.
	Sees string `json:"sees"`
	// Clusters is how many bad requests make one piece of evidence; 1 when each stands for itself.
	Clusters float64 `json:"clusters"`
	// WithinTolerance says that the canary was shown to be within tolerance. It stays.
	WithinTolerance bool `json:"within_tolerance"`
	// FailedAt is when it failed; zero for not.
	FailedAt time.Time `json:"failed_at,omitzero"`
	// Falls says that a fall is harm: Allowed, Detectable and Gross are lower than StableRate then. Metric says that the check is
	// about a business metric: CanaryBad and StableBad are then the requests for which it happened.
	Metric bool `json:"metric,omitempty"`
	Falls  bool `json:"falls,omitempty"`
	// Mean says that the rates are means, in the unit of the metric, and not shares; CanaryBad and StableBad are 0 then.
	Mean bool `json:"mean,omitempty"`
	// Threshold says that the check holds readings against thresholds: nothing in it is proven. Readings is how many there were,
	// Beyond how many of the last in a row were beyond a threshold.
	Threshold bool   `json:"threshold,omitempty"`
	Readings  uint64 `json:"readings,omitempty"`
	Beyond    int    `json:"beyond,omitempty"`
	// Cause is why a metric that is asked for or posted has no data: "error" or "stale"; empty for another reason, or for data.
	Cause string `json:"cause,omitempty"`
	// Sentence is the verdict in plain words.
	Sentence string `json:"sentence"`
}

// Verdict says what is known at the last moment the judge was told. Between calls without new requests it costs next to
// nothing.
func (j *Judge) Verdict() Verdict {
	if j.stale || j.fed { // what is told may be too old a moment later
		j.last = j.verdict()
		j.stale = false
	}
	v := j.last
	v.Hold = j.holds()
	return v
}

// outdate says that what is known of every check has changed.
func (j *Judge) outdate() {
	j.stale = true
	clear(j.current)
}

func (j *Judge) verdict() Verdict {
	m := &j.memory
	v := Verdict{
		Checks:         make([]CheckVerdict, 0, len(m.Checks)),
		Learning:       j.learning(),
		StepUncompared: m.StepUncompared,
		LastCanary:     moment(m.LastCanary),
		LastStable:     moment(m.LastStable),
	}
	for i := range m.Checks {
		if j.current[i] && !j.settings.Checks[i].fed() { // latencies come more seldom than failures do
			v.Checks = append(v.Checks, j.last.Checks[i])
			continue
		}
		v.Checks = append(v.Checks, j.checkVerdict(i, v.Learning))
		j.current[i] = true
	}
	v.Class = j.class(v.Checks, v.Learning)
	v.Groups = j.scores(v.Checks)
	v.Score = score(v.Checks, v.Groups)
	v.Text = j.sentence(&v)
	return v
}

func (j *Judge) checkVerdict(i int, learning bool) CheckVerdict {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	v := CheckVerdict{
		Name: c.Name, Critical: c.fatal(), Muted: c.Muted, Group: c.Group, Alone: c.absolute(),
		CanaryBad: k.CanaryBad, CanaryTotal: k.CanaryTotal, StableBad: k.StableBad, StableTotal: k.StableTotal,
		StepCanary: k.StepCanary, MinRequests: c.MinRequests,
		CanaryRate: k.canaryRate(), StableRate: j.stableRate(i),
		Needed: odd(r.needed), ToleranceNeeded: odd(r.shown),
		Detectable: k.Detectable, Clusters: k.Clumps.size(),
		WithinTolerance: k.ShownAt != 0, FailedAt: moment(k.FailedAt),
	}
	v.CanaryLow, v.CanaryHigh = Wilson(k.CanaryBad, k.CanaryTotal)
	v.Allowed = c.allowed(v.StableRate)
	v.Gross = c.gross(v.Allowed)
	v.Powered = v.Detectable > 0 && v.Detectable <= v.Gross
	if !v.Powered {
		v.Missing = uint64(k.Missing)
	}
	v.Sees = c.sees(&v)
	e := evidence{harm: k.Harm.Log, harmNeeded: r.needed, safe: k.Safe.Log, safeNeeded: r.shown}
	v.Score = e.score()
	v.Evidence, v.ToleranceEvidence = odd(k.Harm.Log), odd(k.Safe.Log)
	switch {
	case k.FailedAt != 0:
		v.Class, v.Score, v.Evidence = Fail, 0, odd(k.Harm.Sup)
	case k.CanaryTotal < c.MinRequests || !learning && !c.absolute():
		v.Class = NoData
	case v.WithinTolerance:
		v.Class = Pass
	default:
		v.Class = Marginal
	}
	if c.metric() {
		j.metricVerdict(i, &v, learning)
		return v
	}
	v.Sentence = c.sentence(&v, learning)
	return v
}

// stableRate is stable's bad rate at the times of the canary's requests.
func (j *Judge) stableRate(i int) float64 {
	k, c := &j.memory.Checks[i], &j.settings.Checks[i]
	expected, matched := k.Expected, k.Matched
	for n := range j.memory.Strata {
		e, m := j.memory.Strata[n].open(i, c)
		expected, matched = expected+e, matched+m
	}
	if matched == 0 {
		return k.wholeRate()
	}
	return expected / matched
}

// class of the whole. While there is nothing to compare, the absolute checks decide it, where there are some.
func (j *Judge) class(checks []CheckVerdict, learning bool) Class {
	pass, silent, some := true, false, false
	alone := !learning && j.absolutes()
	for i := range checks {
		v, c := &checks[i], &j.settings.Checks[i]
		if c.Muted || alone && !c.absolute() && v.Class == NoData {
			continue
		}
		if v.Class == Fail && v.Critical {
			return Fail
		}
		pass = pass && v.Class == Pass
		some = some || v.Class != NoData
		silent = silent || v.Class == NoData && c.failures()
	}
	switch {
	case silent || !some:
		return NoData
	case pass:
		return Pass
	}
	return Marginal
}

// maxOdds keeps the odds printable: beyond it nobody counts.
const maxOdds = 1e15

// odd is "1 in N" of a log wealth.
func odd(log float64) float64 { return min(maxOdds, math.Exp(max(0, log))) }

func ratio(part, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
