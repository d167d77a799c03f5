package analysis

import (
	"math"
	"time"
)

// Plan asks how much traffic a proof takes, before there is any.
type Plan struct {
	// Check is the promise.
	Check Check
	// Weight is the probability that a request goes to the canary, above 0 and below 0.95.
	Weight float64
	// StableRate and CanaryRate are the true bad rates that are supposed.
	StableRate, CanaryRate float64
	// Level is the chance of error that is asked for: Settings.Beta for ShowsTolerance, alpha times the share of the check
	// for Fails.
	Level float64
}

// ShowsTolerance is the expected number of canary requests until the canary is shown to be within tolerance. It is not known
// (false) when the supposed rates are not within it.
func (p Plan) ShowsTolerance() (requests float64, known bool) { return p.requests(safe, p.StableRate) }

// Fails is the expected number of canary requests until the check fails, without regard to burst windows. It is not known
// (false) when the supposed rates do not make it fail.
func (p Plan) Fails() (requests float64, known bool) { return p.requests(harm, p.StableRate) }

// requests is the wealth that is needed, with the price of the mixture, divided by the growth of the best bet for each
// request, times the share of requests that are the canary's. The picture of stable is taken to be right.
func (p Plan) requests(d direction, b float64) (float64, bool) {
	if !learnable(p.Weight) || !(p.Level > 0) || !isShare(p.StableRate) || !isShare(p.CanaryRate) {
		return 0, false
	}
	o := odds{weight: p.Weight, centre: min(maxCentre, b), rho: p.Check.rho(), delta: p.Check.delta()}
	w, pc, ps := p.Weight, p.CanaryRate, p.StableRate
	best := 0.0
	for j := range d.bets() {
		f := o.factors(d, j)
		growth := w*(pc*f.canaryBad+(1-pc)*f.canaryGood) + (1-w)*(ps*f.stableBad+(1-ps)*f.stableGood)
		best = max(best, growth)
	}
	if best <= 0 {
		return 0, false
	}
	needed := -math.Log(p.Level) + math.Log(float64(d.bets()))
	if d == harm {
		needed += math.Ln2
	}
	return w * needed / best, true
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
