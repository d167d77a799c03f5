package cli

import (
	"time"

	"haldane/rollout"
)

// remembered is how many looks at the traffic are kept: two minutes of them.
const remembered = 120

// trend is how the traffic of one variant has gone.
type trend struct {
	requests, failed uint64    // at the last look
	rates, bad       []float64 // requests a second, and the failed share of them, between two looks
}

// trends are those of all variants, by service and variant.
type trends struct {
	at      time.Time
	of      map[[2]string]*trend
	against map[string][]float64 // evidence, by service
}

func newTrends() *trends {
	return &trends{of: map[[2]string]*trend{}, against: map[string][]float64{}}
}

// look adds what the process has counted until now, and what its judge says. Counters that went back are those of another process.
func (t *trends) look(now time.Time, list *serviceList, views []rollout.View) {
	elapsed := now.Sub(t.at).Seconds()
	first := t.at.IsZero()
	if !first && elapsed < redrawEvery.Seconds()/2 {
		return // an event came right after the last look; so short a time says nothing
	}
	t.at = now
	for i := range views {
		name := views[i].Service
		t.against[name] = latest(t.against[name], towards(views[i].Verdict.Checks))
	}
	for _, s := range list.Services {
		for _, v := range s.Variants {
			key := [2]string{s.Name, v.Name}
			one := t.of[key]
			if one == nil {
				one = &trend{requests: v.Requests, failed: v.Failed}
				t.of[key] = one
				continue
			}
			if v.Requests >= one.requests && v.Failed >= one.failed && elapsed > 0 {
				one.add(float64(v.Requests-one.requests)/elapsed, v.Requests-one.requests, v.Failed-one.failed)
			}
			one.requests, one.failed = v.Requests, v.Failed
		}
	}
}

func (t *trend) add(rate float64, requests, failed uint64) {
	bad := 0.0
	if requests > 0 {
		bad = float64(failed) / float64(requests)
	}
	t.rates, t.bad = latest(t.rates, rate), latest(t.bad, bad)
}

// latest keeps the last values.
func latest(values []float64, value float64) []float64 {
	values = append(values, value)
	return values[max(0, len(values)-remembered):]
}

// last is the latest value; zero without any.
func last(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}
