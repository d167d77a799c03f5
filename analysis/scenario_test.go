package analysis

import (
	"testing"
	"time"
)

func TestCanaryThatFailsEverythingIsFoundInSeconds(t *testing.T) {
	for seed := range uint64(100) {
		s := newSim(t, seed, Defaults())
		s.stable, s.canary = 0.005, 1
		if seed%2 == 1 { // with a past, and without
			s.run(20 * time.Second)
		}
		s.weight = 0.10
		var first time.Time
		failing := map[int64]bool{}
		requests := uint64(0)
		for !s.failed() {
			b := s.tick()
			requests += b.Canary.total()
			if b.Canary.Bad > 0 {
				failing[s.now.Unix()] = true
				if first.IsZero() {
					first = s.now.Add(-tick)
				}
			}
			if took := s.now.Sub(first); !first.IsZero() && took > 3500*time.Millisecond {
				t.Fatalf("seed %d: not found %v after the first failure", seed, took)
			}
		}
		if len(failing) < 3 {
			t.Errorf("seed %d: found by the failures of %d seconds", seed, len(failing))
		}
		if requests > 80 {
			t.Errorf("seed %d: %d requests reached the canary", seed, requests)
		}
		if v := s.j.Verdict(); v.Class != Fail || v.Score != 0 {
			t.Errorf("seed %d: verdict %v with score %v", seed, v.Class, v.Score)
		}
	}
}

func TestLateTotalFailureIsFoundInSeconds(t *testing.T) {
	for seed := range uint64(20) {
		s := newSim(t, seed, Defaults())
		s.stable, s.canary, s.weight = 0.002, 0.002, 0.10
		s.run(10 * time.Minute)
		if s.failed() {
			t.Fatalf("seed %d: failed while healthy", seed)
		}
		s.canary = 1
		began := s.now
		for !s.failed() && s.now.Sub(began) < time.Minute {
			s.tick()
		}
		if took := s.now.Sub(began); took > 3500*time.Millisecond {
			t.Errorf("seed %d: found after %v", seed, took)
		}
	}
}

// A burst of 100 failures is spread over one second, wherever the ticks are. Alone it never is enough; together with
// failures by chance in the seconds next to it, it rarely is.
func TestBurstWithinOneSecondDoesNotRollBack(t *testing.T) {
	unraced(t)
	const rollouts = 250
	for _, c := range []struct {
		rate    float64
		allowed int
	}{{0, 0}, {0.001, binomialLimit(rollouts, 0.01)}} {
		wrong := 0
		for seed := range uint64(rollouts) {
			s := newSim(t, seed, Defaults())
			s.stable, s.canary, s.weight = 0.001, c.rate, 0.10
			s.run(time.Duration(s.r.IntN(90_000)) * time.Millisecond)
			phase := time.Duration(s.r.Int64N(int64(tick)))
			for k := range 5 {
				s.now = s.now.Add(tick)
				b := s.draw()
				began, ended := time.Duration(k)*tick-phase, time.Duration(k+1)*tick-phase
				b.Canary.Bad += uint64(100 * (min(ended, time.Second) - max(began, 0)) / time.Second)
				s.j.Observe(s.now, []Block{b})
			}
			s.run(30 * time.Second)
			if s.failed() {
				wrong++
			}
		}
		if wrong > c.allowed {
			t.Errorf("error rate %v: one burst was enough in %d of %d rollouts", c.rate, wrong, rollouts)
		}
	}
}

func TestThreeSeparateSecondsAreNeeded(t *testing.T) {
	for seed := range uint64(200) {
		s := newSim(t, seed, Defaults())
		s.weight = 0.10
		s.run(time.Duration(s.r.IntN(90_000)) * time.Millisecond)
		start := s.now.Unix() + 1
		seconds := map[int64]bool{start: true, start + 1 + s.r.Int64N(3): true}
		for s.now.Unix() < start+10 {
			s.now = s.now.Add(tick)
			b := s.draw()
			if seconds[s.now.Unix()] {
				b.Canary.Bad += 1000
			}
			s.j.Observe(s.now, []Block{b})
		}
		if s.failed() {
			t.Errorf("seed %d: failures in %d seconds were enough", seed, len(seconds))
		}
	}
}

func TestOutageOfBothHoldsAndDoesNotRollBack(t *testing.T) {
	for seed := range uint64(100) {
		s := newSim(t, seed, Defaults())
		s.stable, s.canary, s.weight = 0.005, 0.005, 0.10
		s.run(time.Minute)
		s.stable, s.canary = 0.4, 0.4
		s.run(20 * time.Second)
		if s.failed() {
			t.Errorf("seed %d: %s", seed, s.j.Verdict().Sentence())
		}
		wantHold(t, s.j, HoldStableSick)
		s.stable, s.canary = 0.005, 0.005
		s.run(time.Minute)
		if s.failed() {
			t.Errorf("seed %d: after the outage: %s", seed, s.j.Verdict().Sentence())
		}
		wantHold(t, s.j)
	}
}

// Many small windows that a late tick runs together count as one.
func TestLateTickIsOneWindow(t *testing.T) {
	j := NewJudge(Defaults())
	now := time.Unix(1_700_000_000, 0)
	for range 2 {
		now = now.Add(10 * time.Second)
		j.Observe(now, []Block{{Stratum: 1, Weight: 0.1, Canary: Counts{Bad: 500}, Stable: Counts{Good: 5000}}})
	}
	if v := j.Verdict(); v.Class == Fail {
		t.Errorf("two looks were enough: %s", v.Sentence())
	}
}
