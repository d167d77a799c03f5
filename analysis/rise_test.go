package analysis

import (
	"slices"
	"testing"
	"time"
)

// The forecast of how long a rise stays unfound is what simulated rollouts take, within a factor of 1.5, and so is the number of
// requests that fail until then.
func TestFoundIsWhatSimulationsTake(t *testing.T) {
	unraced(t)
	const rollouts = 25
	for _, c := range []Rise{
		{"errors", 0.05, 0.01, 0.03, 12},
		{"errors", 0.05, 0.01, 0.10, 12},
		{"errors", 0.50, 0.01, 0.03, 12},
		{"errors", 0.10, 0.001, 0.01, 100},
		{"errors", 0.01, 0.001, 0.10, 100},
		{"errors", 0.50, 0.005, 0.02, 100},
		{"errors", 0.25, 0.05, 0.10, 50},
		{"errors", 0.10, 0.001, 1.00, 100},
		{"errors", 0.01, 0.001, 1.00, 10},
		{"errors", 0.50, 0.002, 0.01, 30},
	} {
		told, expected, known := Defaults().Found(c)
		if !known {
			t.Errorf("%+v is not known", c)
			continue
		}
		var took, failed []float64
		for seed := range uint64(rollouts) {
			s := newSim(t, 1000+seed, Defaults())
			s.perSecond, s.stable, s.canary, s.weight = c.PerSecond, c.Stable, c.Canary, 0
			s.run(2 * time.Minute)
			s.weight = c.Weight
			began, bad := s.now, uint64(0)
			for !s.failed() && s.now.Sub(began) < 10*told {
				b := s.tick()
				bad += b.Canary.Bad
			}
			took, failed = append(took, s.now.Sub(began).Seconds()), append(failed, float64(bad))
		}
		slices.Sort(took)
		slices.Sort(failed)
		median, bad := took[rollouts/2], failed[rollouts/2]
		t.Logf("%+v: told %v, took %.0f s (%.2f); told %d failed, were %.0f (%.2f)",
			c, told.Round(time.Second), median, median/told.Seconds(), expected, bad, bad/float64(expected))
		if ratio := median / told.Seconds(); ratio > 1.5 || ratio < 1/1.5 {
			t.Errorf("%+v: told %v, took %.1f s", c, told, median)
		}
		if ratio := bad / float64(expected); ratio > 1.5 || ratio < 1/1.5 {
			t.Errorf("%+v: told %d failed requests, were %.0f", c, expected, bad)
		}
	}
}

func TestFoundIsNotKnown(t *testing.T) {
	fine := Rise{"errors", 0.1, 0.01, 0.1, 10}
	if _, _, known := Defaults().Found(fine); !known {
		t.Error("a plain rise is not known")
	}
	for _, change := range []func(*Rise){
		func(r *Rise) { r.Check = "other" }, func(r *Rise) { r.Weight = 0 }, func(r *Rise) { r.Weight = 1 }, func(r *Rise) { r.PerSecond = 0 },
		func(r *Rise) { r.Canary = r.Stable }, func(r *Rise) { r.Stable = 2 }, func(r *Rise) { r.Canary = -1 },
	} {
		r := fine
		change(&r)
		if after, bad, known := Defaults().Found(r); known {
			t.Errorf("%+v is found after %v and %d", r, after, bad)
		}
	}
}
