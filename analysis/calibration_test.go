package analysis

import (
	"math"
	"testing"
	"time"
)

// binomialLimit is the largest count that is believable at the given rate: more has a chance below 1 in 1,000.
func binomialLimit(n int, p float64) int {
	sum := 0.0
	for k := range n + 1 {
		lg := func(v int) float64 { x, _ := math.Lgamma(float64(v + 1)); return x }
		sum += math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		if sum >= 0.999 {
			return k
		}
	}
	return n
}

func ladderRun(s *sim, each time.Duration) {
	s.run(5 * time.Second)
	for _, w := range []float64{0.01, 0.05, 0.20, 0.50} {
		s.weight = w
		s.j.WeightChanged(s.now)
		s.j.NewStep(s.now)
		for end := s.now.Add(each); s.now.Before(end) && !s.failed(); {
			s.tick()
		}
	}
}

// Identical variants, and canaries that are exactly as bad as allowed, are rolled back with a chance of at most alpha.
func TestFalseRollbacksStayBelowAlpha(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	for _, c := range []struct {
		name           string
		stable, canary float64
		rollouts       int
	}{
		{"identical, 0.5 %", 0.005, 0.005, 250},
		{"identical, 5 %", 0.05, 0.05, 150},
		{"at the edge, 2 %", 0.02, 0.02*1.1 + 0.001, 250},
	} {
		wrong := 0
		for seed := range c.rollouts {
			s := newSim(t, uint64(1000+seed), Defaults())
			s.perSecond, s.stable, s.canary = 100, c.stable, c.canary
			ladderRun(s, 40*time.Second)
			if s.failed() {
				wrong++
			}
		}
		t.Logf("%s: %d of %d rolled back", c.name, wrong, c.rollouts)
		if limit := binomialLimit(c.rollouts, 0.01); wrong > limit {
			t.Errorf("%s: %d of %d rolled back, at most %d are chance", c.name, wrong, c.rollouts, limit)
		}
	}
}

// The other error: a canary beyond the tolerance is called fine with a chance of at most beta.
func TestFalsePassesStayBelowBeta(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	const rollouts = 200
	shown := 0
	for seed := range rollouts {
		s := newSim(t, uint64(5000+seed), Defaults())
		s.perSecond, s.stable, s.canary = 100, 0.01, 0.01*1.1+0.001
		ladderRun(s, 40*time.Second)
		if s.j.memory.Checks[0].ShownAt != 0 {
			shown++
		}
	}
	t.Logf("%d of %d shown within tolerance", shown, rollouts)
	if limit := binomialLimit(rollouts, 0.05); shown > limit {
		t.Errorf("%d of %d shown within tolerance, at most %d are chance", shown, rollouts, limit)
	}
}
