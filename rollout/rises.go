package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// RiseForecast is how soon a canary is found, in half of the cases, that fails more often than stable from its first request on, and
// stays at one weight.
type RiseForecast struct {
	// Weight is the canary's share of the traffic.
	Weight config.Percent `json:"weight"`
	// From is stable's share of failed requests, To the canary's.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// Takes is until it is found; zero for not within a day.
	Takes config.Duration `json:"takes,omitempty"`
	// Failed is how many canary requests have failed by then; within a day, when it is not found.
	Failed uint64 `json:"failed_requests"`
	// Budget says that the budget ends the rollout before the check does.
	Budget bool `json:"budget,omitempty"`
}

// riseLongest is how long a forecast waits for a rise to be found.
const riseLongest = 24 * time.Hour

// rises forecasts typical rises at each weight of the steps. Without a check of errors that counts only the budget finds one.
func (f *forecaster) rises() []RiseForecast {
	var list []RiseForecast
	var weights []config.Percent
	var steps []config.Percent
	if f.policy.Ramp != nil {
		steps = append(steps, f.policy.Ramp.From)
	}
	for i := range f.policy.Steps {
		steps = append(steps, f.policy.Steps[i].Weight)
	}
	for _, w := range steps {
		if !teaches(w) || slices.Contains(weights, w) {
			continue
		}
		weights = append(weights, w)
		for _, to := range f.risesTo() {
			list = append(list, f.rise(w, to))
		}
	}
	return list
}

// risesTo are the rates of failed requests that are asked about: two, three and ten times stable's, and all.
func (f *forecaster) risesTo() []float64 {
	if f.stable < 1e-4 {
		return []float64{0.005, 0.01, 0.1, 1}
	}
	var list []float64
	for _, times := range []float64{2, 3, 10} {
		if to := f.stable * times; to < 1 {
			list = append(list, to)
		}
	}
	return append(list, 1)
}

func (f *forecaster) rise(w config.Percent, to float64) RiseForecast {
	out := RiseForecast{Weight: w, From: f.stable, To: to}
	perSecond := f.perSecond * w.Ratio() * to
	takes := 2 * riseLongest
	if !f.policy.Checks.Errors.Muted {
		after, failed, known := f.settings.Found(analysis.Rise{
			Check: checkErrors, Weight: w.Ratio(), Stable: f.stable, Canary: to, PerSecond: f.perSecond,
		})
		if known {
			takes, out.Failed = after, failed
		}
	}
	if limit := f.policy.Budget.FailedRequests; limit > 0 && times(float64(limit)/perSecond) < takes {
		takes, out.Failed, out.Budget = times(float64(limit)/perSecond), uint64(limit), true
	}
	if takes > riseLongest {
		out.Failed, out.Budget = uint64(riseLongest.Seconds()*perSecond), false
		return out
	}
	out.Takes = config.Duration(roughly(takes))
	return out
}

// roughly is a duration with as many digits as a forecast is worth.
func roughly(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Second:
		return d.Round(time.Second)
	case d < time.Minute:
		return d.Round(5 * time.Second)
	case d < 10*time.Minute:
		return d.Round(30 * time.Second)
	case d < 2*time.Hour:
		return d.Round(time.Minute)
	}
	return d.Round(10 * time.Minute)
}

// RiseSentences say in plain words how soon rises are found: one for each weight.
func (f *Forecast) RiseSentences() []string {
	var list []string
	for i := 0; i < len(f.Rises); {
		weight := f.Rises[i].Weight
		var parts []string
		for ; i < len(f.Rises) && f.Rises[i].Weight == weight; i++ {
			parts = append(parts, f.Rises[i].words())
		}
		list = append(list, fmt.Sprintf("at %s requests/s and %s, a rise from %s to %s", plain(f.PerSecond), weight, share(f.StableErrors),
			strings.Join(parts, "; to ")))
	}
	return list
}

func (r *RiseForecast) words() string {
	switch {
	case r.Takes == 0:
		return fmt.Sprintf("%s errors is not found within a day, in which %s requests fail", share(r.To), about(r.Failed))
	case r.Budget:
		return fmt.Sprintf("%s errors spends the budget of %s failed requests in about %s", share(r.To), about(r.Failed), r.Takes)
	}
	return fmt.Sprintf("%s errors is found in about %s with about %s failed requests", share(r.To), r.Takes, about(r.Failed))
}
