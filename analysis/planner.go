package analysis

import (
	"math"
	"time"
)

// Plan asks how much traffic a proof takes, before there is any.
type Plan struct {
	// Check is the promise.
	Check Check
	// Weight is the probability that a request goes to the canary, above 0 and below 0.95. An absolute check needs none.
	Weight float64
	// StableRate and CanaryRate are the true bad rates that are supposed.
	StableRate, CanaryRate float64
	// Level is the chance of error that is asked for: Settings.Beta for ShowsTolerance, alpha times the share of the check
	// for Fails.
	Level float64
}

// ShowsTolerance is the expected number of canary requests until the canary is shown to be within tolerance. It is not known
// (false) when the supposed rates are not within it.
func (p Plan) ShowsTolerance() (requests float64, known bool) {
	return p.requests(safe, p.StableRate, 0)
}

// Fails is the expected number of canary requests until the check fails, without regard to burst windows. It is not known
// (false) when the supposed rates do not make it fail.
func (p Plan) Fails() (requests float64, known bool) { return p.requests(harm, p.StableRate, 0) }

// Finds is the number of canary requests by which the check has failed in four of five cases, without regard to burst
// windows. It is not known (false) when the supposed rates do not make it fail.
func (p Plan) Finds() (requests float64, known bool) {
	return p.requests(harm, p.StableRate, powerQuantile)
}

// requests is the number n of canary requests at which the log wealth of the best bet has won what is needed, with the
// price of the mixture: mean * n - z * sqrt(variance * n) = needed. With z = 0 that is the expected number. The picture of
// stable is taken to be right.
func (p Plan) requests(d direction, b, z float64) (float64, bool) {
	if !learnable(p.Weight) && !p.Check.absolute() || !(p.Level > 0) || !isShare(p.StableRate) || !isShare(p.CanaryRate) {
		return 0, false
	}
	o := odds{centre: min(maxCentre, b), rho: p.Check.rho(), delta: p.Check.delta()}
	if !p.Check.absolute() {
		o.weight = p.Weight
	}
	stakes, fewest := p.Check.stakes(d), math.Inf(1)
	for j := range d.bets() {
		f := o.factors(d, j)
		if mean, variance := o.growth(&f, p.CanaryRate, p.StableRate); mean > 0 {
			needed := d.price(-math.Log(p.Level), stakes[j])
			root := z*math.Sqrt(variance) + math.Sqrt(z*z*variance+4*mean*needed)
			fewest = min(fewest, root*root/(4*mean*mean))
		}
	}
	return fewest, !math.IsInf(fewest, 1)
}

func isShare(v float64) bool { return v >= 0 && v <= 1 }

// Forecast is how long it takes to show that a canary, as good as stable, is within the tolerance of a check, and how many of
// its requests that needs. It is not known (false) without traffic.
type Forecast struct {
	// Requests is the expected number of canary requests.
	Requests float64
	// Wait is the expected time.
	Wait time.Duration
	// Sentence says it in plain words.
	Sentence string
}

// Forecast supposes a canary as good as stable and the given number of requests per second of both variants together.
func (s Settings) Forecast(check string, weight, stableRate, perSecond float64) (Forecast, bool) {
	f := s.filled()
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Name != check || !(perSecond > 0) {
			continue
		}
		p := Plan{Check: *c, Weight: weight, StableRate: stableRate, CanaryRate: stableRate, Level: f.Beta}
		n, known := p.ShowsTolerance()
		if !known {
			return Forecast{}, false
		}
		canary := weight * perSecond
		wait := time.Duration(math.Min(n/canary, 1e9) * float64(time.Second))
		return Forecast{
			Requests: n,
			Wait:     wait,
			Sentence: "at " + decimal(canary, 2) + " canary requests/s it takes about " +
				span(int64(wait)) + " (" + rounded(n) + " of them) to show that the canary is within " + c.allowance(),
		}, true
	}
	return Forecast{}, false
}

// ForecastFind supposes a canary with a bad rate beyond its tolerance and the given number of requests per second of both
// variants together: when it has failed in four of five cases. It is not known (false) without traffic, or when the
// supposed rates do not make it fail. Burst windows are not regarded: it never takes less than two of them.
func (s Settings) ForecastFind(check string, weight, stableRate, canaryRate, perSecond float64) (Forecast, bool) {
	f := s.filled()
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Name != check || !(perSecond > 0) || !(weight > 0) {
			continue
		}
		p := Plan{Check: *c, Weight: weight, StableRate: stableRate, CanaryRate: canaryRate, Level: f.Alpha * c.Share}
		n, known := p.Finds()
		if !known {
			return Forecast{}, false
		}
		canary := weight * perSecond
		wait := time.Duration(math.Min(n/canary, 1e9) * float64(time.Second))
		return Forecast{
			Requests: n,
			Wait:     wait,
			Sentence: "at " + decimal(canary, 2) + " canary requests/s a canary with " + percent(canaryRate) + " " + c.bad() +
				" is found within about " + span(int64(wait)) + " (" + rounded(n) + " of them) in 4 of 5 cases",
		}, true
	}
	return Forecast{}, false
}
