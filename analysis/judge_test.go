package analysis

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestStableWithoutErrors(t *testing.T) {
	passed, failed := 0, 0
	for seed := range uint64(20) {
		s := newSim(t, seed, Defaults())
		s.weight = 0.25
		s.run(5 * time.Minute)
		if s.failed() {
			t.Errorf("seed %d: two variants without errors: %s", seed, s.j.Verdict().Sentence())
		}
		if s.j.Verdict().Class == Pass {
			passed++
		}
		s = newSim(t, seed, Defaults())
		s.weight, s.canary = 0.25, 0.01
		s.run(5 * time.Minute)
		if s.failed() {
			failed++
		}
	}
	if passed != 20 || failed != 20 {
		t.Errorf("%d of 20 good canaries passed, %d of 20 bad ones failed", passed, failed)
	}
}

func TestNothingIsLearntWithoutAComparison(t *testing.T) {
	for _, w := range []float64{0, 0.95, 1} {
		s := newSim(t, 1, Defaults())
		s.weight, s.stable, s.canary = w, 0.01, 1
		s.run(time.Minute)
		v := s.j.Verdict()
		if v.Class != NoData || v.Learning || v.Checks[0].CanaryTotal != 0 || v.Score != 50 {
			t.Errorf("weight %v: %+v", w, v)
		}
		if (v.StepUncompared > 0) != (w > 0) {
			t.Errorf("weight %v: %d requests not compared", w, v.StepUncompared)
		}
	}
	// What was learnt before stays, and is not called an opinion on the present weight.
	s := newSim(t, 1, Defaults())
	s.weight = 0.5
	s.run(5 * time.Minute)
	if v := s.j.Verdict(); v.Class != Pass {
		t.Fatalf("at 50 %%: %v", v.Class)
	}
	s.weight = 1
	s.run(time.Minute)
	if v := s.j.Verdict(); v.Class != NoData || !v.Checks[0].WithinTolerance {
		t.Errorf("at 100 %%: %+v", v)
	}
}

func TestWeightChangeRestartsOnce(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(10 * time.Second)
	if n := s.j.memory.Checks[0].Harm.Restarts; n != 0 {
		t.Fatalf("%d restarts at the first weight", n)
	}
	s.j.WeightChanged(s.now)
	s.j.WeightChanged(s.now)
	s.weight = 0.2
	s.run(10 * time.Second)
	if n := s.j.memory.Checks[0].Harm.Restarts; n != 1 {
		t.Errorf("%d restarts for one change that was said twice and shown once", n)
	}
	s.weight = 0 // a pause is no reason to bet anew
	s.run(5 * time.Second)
	s.weight = 0.2
	s.run(5 * time.Second)
	if n := s.j.memory.Checks[0].Harm.Restarts; n != 2 {
		t.Errorf("%d restarts after a pause, want 2", n)
	}
}

// Two strata with very different weights and error rates, each healthy: pooled, the canary looks ten times worse.
func TestStrataAreNeverPooled(t *testing.T) {
	j := NewJudge(Defaults())
	a, b := newSim(t, 1, Defaults()), newSim(t, 2, Defaults())
	a.weight, a.stable, a.canary, a.perSecond = 0.5, 0.05, 0.05, 100
	b.weight, b.stable, b.canary, b.perSecond = 0.01, 0.001, 0.001, 1000
	now := a.now
	for range 4 * 300 {
		now = now.Add(tick)
		one, two := a.draw(), b.draw()
		two.Stratum = 2
		j.Observe(now, []Block{one, two})
	}
	v := j.Verdict()
	if v.Class == Fail || v.Score < 50 {
		t.Errorf("%v, score %v: %s", v.Class, v.Score, v.Sentence())
	}
	c := v.Checks[0]
	if pooled := ratio(c.StableBad, c.StableTotal); c.CanaryRate < 5*pooled {
		t.Fatalf("the streams are not the trap they should be: canary %v, stable %v", c.CanaryRate, pooled)
	}
	if math.Abs(c.StableRate/c.CanaryRate-1) > 0.1 {
		t.Errorf("stable at the same time %v, canary %v", c.StableRate, c.CanaryRate)
	}
	// A stratum that goes bad alone is found among the others.
	b.canary = 0.2
	for range 4 * 60 {
		now = now.Add(tick)
		one, two := a.draw(), b.draw()
		two.Stratum = 2
		j.Observe(now, []Block{one, two})
	}
	if v := j.Verdict(); v.Class != Fail {
		t.Errorf("a bad stratum is not found: %s", v.Sentence())
	}
}

// An error rate that grows together with the weight makes a difference that is not there.
func TestStableRateIsOfTheSameTime(t *testing.T) {
	s := newSim(t, 3, Defaults())
	for i, w := range []float64{0.01, 0.05, 0.25, 0.5} {
		s.weight = w
		s.stable = 0.001 * math.Pow(4, float64(i))
		s.canary = s.stable
		s.j.WeightChanged(s.now)
		s.j.NewStep(s.now)
		s.run(time.Minute)
	}
	c := s.j.Verdict().Checks[0]
	if pooled := ratio(c.StableBad, c.StableTotal); pooled > 0.7*c.CanaryRate {
		t.Fatalf("no trap: canary %v, pooled %v", c.CanaryRate, pooled)
	}
	if math.Abs(c.StableRate/c.CanaryRate-1) > 0.1 || c.Class == Fail {
		t.Errorf("canary %v, stable at the same time %v: %s", c.CanaryRate, c.StableRate, c.Sentence)
	}
	if want := c.StableRate*1.1 + 0.001; math.Abs(c.Allowed-want) > 1e-12 {
		t.Errorf("allowed %v, want %v", c.Allowed, want)
	}
	if c.StepCanary >= c.CanaryTotal || c.StepCanary == 0 {
		t.Errorf("%d of %d canary requests in the step", c.StepCanary, c.CanaryTotal)
	}
}

func TestNewStepKeepsTheEvidence(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.stable, s.canary = 0.2, 0.01, 0.02
	s.run(20 * time.Second)
	s.weight = 1
	s.run(time.Second)
	before := s.j.Verdict()
	s.j.NewStep(s.now)
	after := s.j.Verdict()
	a, b := before.Checks[0], after.Checks[0]
	if b.StepCanary != 0 || b.CanaryTotal != a.CanaryTotal || b.Evidence != a.Evidence {
		t.Errorf("before %+v after %+v", a, b)
	}
	if before.StepUncompared == 0 || after.StepUncompared != 0 {
		t.Errorf("not compared: %d before, %d after", before.StepUncompared, after.StepUncompared)
	}
	s.weight = 0.2
	n := uint64(0)
	for range 40 {
		block := s.tick()
		n += block.Canary.total()
	}
	if got := s.j.Verdict().Checks[0].StepCanary; got != n {
		t.Errorf("%d canary requests in the step, want %d", got, n)
	}
}

func TestStratumEndsWithAChangeOfWeights(t *testing.T) {
	j := NewJudge(Defaults())
	now := time.Unix(1_700_000_000, 0)
	some := Block{Stratum: 1, Weight: 0, Stable: Counts{Good: 10}}
	other := Block{Stratum: 2, Weight: 0.5, Canary: Counts{Good: 60}, Stable: Counts{Good: 60}}
	j.Observe(now, []Block{some, other})
	j.Observe(now.Add(tick), []Block{some}) // a tick without requests is no end
	if v := j.Verdict(); !v.Learning || v.Class != Marginal {
		t.Errorf("before: %+v", v)
	}
	j.WeightChanged(now.Add(tick))
	j.Observe(now.Add(2*tick), []Block{some})
	if v := j.Verdict(); v.Learning || v.Class != NoData {
		t.Errorf("after: %+v", v)
	}
}

// While nothing happens no wealth is set aside: a pause must not use up what is kept for late regressions.
func TestQuietTimeCostsNoRestarts(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(time.Second)
	for range 1000 {
		s.now = s.now.Add(time.Minute)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.1}})
	}
	if n := s.j.memory.Checks[0].Harm.Restarts; n != 0 {
		t.Errorf("%d restarts in silence", n)
	}
}

func TestEvidenceOfAFailStays(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.canary = 0.2, 1
	s.run(10 * time.Second)
	before := s.j.Verdict()
	s.canary = 0
	s.run(10 * time.Minute)
	after := s.j.Verdict()
	if after.Class != Fail || after.Checks[0].Evidence < before.Checks[0].Evidence || before.Checks[0].Evidence < 200 {
		t.Errorf("before %+v after %+v", before.Checks[0], after.Checks[0])
	}
	if s.j.memory.Checks[0].Harm.Log >= s.j.memory.Checks[0].Harm.Sup {
		t.Error("the wealth never fell")
	}
}

func TestStartOverForgetsTheFailAndKeepsThePicture(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.stable, s.canary = 0.2, 0.01, 1
	s.run(20 * time.Second)
	total := s.j.memory.Strata[0].Total
	s.j.StartOver(s.now)
	v := s.j.Verdict()
	if s.failed() || v.Class != NoData || v.Score != 50 || v.Checks[0].CanaryTotal != 0 {
		t.Errorf("after starting over: %+v", v)
	}
	if s.j.memory.Strata[0].Total != total {
		t.Error("the picture of stable is gone")
	}
	s.canary = 0.01
	s.run(10 * time.Second)
	if now := s.j.memory.Strata[0].Total; now < total {
		t.Errorf("the picture of stable fades away: %v of %v", now, total)
	}
	s.run(time.Minute)
	if s.failed() {
		t.Errorf("%s", s.j.Verdict().Sentence())
	}
}

func TestUnknownStratumIsABug(t *testing.T) {
	for _, n := range []int{-1, 0, MaxStrata + 1} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "stratum") {
					t.Errorf("stratum %d: recovered %q", n, text)
				}
			}()
			NewJudge(Defaults()).Observe(time.Unix(1, 0), []Block{{Stratum: n}})
		}()
	}
}

func TestLatencyChecksJoin(t *testing.T) {
	settings := Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1}
	for _, c := range []struct {
		slower float64
		want   Class
	}{{1, Pass}, {1.5, Fail}} {
		s := newSim(t, 1, settings)
		latency := func(n uint64, factor float64) []Bucket {
			var list []Bucket
			for range n {
				micros := 20_000 * math.Exp(0.4*s.r.NormFloat64()) * factor
				list = append(list, Bucket{Index: BucketOf(uint64(micros)), Count: 1})
			}
			return list
		}
		for _, w := range []float64{0, 0.5} {
			s.weight = w
			for range 4 * 150 {
				s.now = s.now.Add(tick)
				b := s.draw()
				b.CanaryLatency, b.StableLatency = latency(b.Canary.Good, c.slower), latency(b.Stable.Good, 1)
				s.j.Observe(s.now, []Block{b})
			}
		}
		v := s.j.Verdict()
		if v.Class != c.want {
			t.Errorf("factor %v: %v: %s", c.slower, v.Class, v.Sentence())
		}
		if c.want == Fail && !strings.HasPrefix(v.Sentence(), "p") {
			t.Errorf("a latency that fails is not named: %s", v.Sentence())
		}
	}
}
