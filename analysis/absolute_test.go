package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func atMost(share float64) Settings {
	return Settings{Checks: []Check{{Name: "slo", Max: share, Critical: true}}}
}

func TestAbsoluteMultiplierIsFairAtTheMaximum(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	for range 2000 {
		c := Check{Max: math.Pow(10, -5*r.Float64()) * 0.999}
		if r.IntN(2) == 0 {
			c = Check{Quantile: 1 - c.Max, Bound: time.Second}
		}
		a := newAlone(&c)
		for _, d := range []direction{harm, safe} {
			l := &a.bets.harm
			if d == safe {
				l = &a.bets.safe
			}
			for j := range d.bets() {
				mean := func(p float64) float64 { return p*math.Exp(l[j].canaryBad) + (1-p)*math.Exp(l[j].canaryGood) }
				if m := mean(c.delta()); math.Abs(m-1) > 1e-12 {
					t.Fatalf("%+v bet %d of %d: mean %.17g", c, j, d, m)
				}
				inside := c.delta() * r.Float64()
				if d == safe {
					inside = c.delta() + (1-c.delta())*r.Float64()
				}
				if m := mean(inside); m > 1+1e-12 {
					t.Fatalf("%+v rate %v bet %d of %d: mean %.17g", c, inside, j, d, m)
				}
			}
		}
	}
}

// The whole way through Observe against the multiplier as it is written down.
func TestAbsoluteEqualsTheDumbOne(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		share := 0.001 + 0.3*r.Float64()
		settings := atMost(share)
		settings.RestartEvery = 4 * time.Second
		j := NewJudge(settings)
		j.rules[0].burst = burst{slot: 1, slots: 1, most: unguarded, floor: -unguarded}
		slow := [2]*dumb{newDumb(harm, even(harm), unguarded), newDumb(safe, even(safe), unguarded)}
		now := time.Unix(1000, 0)
		restarts := uint64(0)
		for range 60 {
			now = now.Add(tick)
			blocks := []Block{ // whatever the weight is
				{Stratum: 1, Weight: []float64{0, 0.3, 1}[r.IntN(3)], Stable: Counts{Bad: 9, Good: 9}},
				{Stratum: 2, Weight: 1},
			}
			var tl tally
			for i := range blocks {
				x := randomTally(r)
				blocks[i].Canary = Counts{Bad: x.canaryBad, Good: x.canaryGood}
				tl.canaryBad += x.canaryBad
				tl.canaryGood += x.canaryGood
			}
			j.Observe(now, blocks)
			k := &j.memory.Checks[0]
			for ; restarts < k.Harm.Restarts; restarts++ {
				slow[0].restart()
			}
			for _, x := range slow {
				x.alone(share, &tl)
			}
			near(t, "harm", k.Harm.Log, logOf(slow[0].wealth()))
			near(t, "safe", k.Safe.Log, logOf(slow[1].wealth()))
		}
		if restarts == 0 {
			t.Error("no restarts without a comparison")
		}
	}
}

// alone applies requests of a canary that is judged alone, by the definition of the multiplier.
func (x *dumb) alone(share float64, t *tally) {
	for j := range x.first {
		k := bankruptcy / share * math.Ldexp(1, -j)
		if x.dir == safe {
			k = -bankruptcy / (1 - share) * math.Ldexp(1, -j)
		}
		for i := range t.canary() {
			m := bigOf(1 - k*share)
			if i < t.canaryBad {
				m = bigOf(1 + k*(1-share))
			}
			x.first[j], x.later[j] = mul(x.first[j], m), mul(x.later[j], m)
		}
	}
}

func TestAbsoluteCheckFindsAndClears(t *testing.T) {
	for _, weight := range []float64{0.3, 1} { // with a comparison and without
		for _, c := range []struct {
			rate float64
			want Class
		}{{0.001, Pass}, {0.05, Fail}, {1, Fail}} {
			s := newSim(t, 3, atMost(0.01))
			s.weight, s.stable, s.canary = weight, 0.5, c.rate // a bad stable is no excuse
			s.run(2 * time.Minute)
			v := s.j.Verdict()
			if v.Class != c.want || v.Checks[0].StableTotal != 0 || v.Checks[0].Allowed != 0.01 || !v.Checks[0].Alone {
				t.Errorf("weight %v rate %v: %v, %+v", weight, c.rate, v.Class, v.Checks[0])
			}
		}
	}
}

func TestAbsoluteTotalFailureIsFoundInSeconds(t *testing.T) {
	for seed := range uint64(30) {
		s := newSim(t, seed, atMost(0.01))
		s.weight = 1
		s.run(time.Duration(seed) * 10 * time.Second)
		s.canary = 1
		for began := s.now; !s.failed(); {
			s.tick()
			if took := s.now.Sub(began); took > 3500*time.Millisecond {
				t.Fatalf("seed %d: not found after %v", seed, took)
			}
		}
	}
}

// A canary exactly at its maximum is rolled back with a chance of at most alpha.
func TestAbsoluteFalseRollbacksStayBelowAlpha(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	const rollouts = 250
	wrong := 0
	for seed := range uint64(rollouts) {
		s := newSim(t, 9000+seed, atMost(0.01))
		s.perSecond, s.weight, s.canary = 50, 1, 0.01
		s.run(3 * time.Minute)
		if s.failed() {
			wrong++
		}
	}
	t.Logf("%d of %d rolled back", wrong, rollouts)
	if limit := binomialLimit(rollouts, 0.01); wrong > limit {
		t.Errorf("%d of %d rolled back, at most %d are chance", wrong, rollouts, limit)
	}
}

func TestAbsoluteLatency(t *testing.T) {
	settings := Settings{WarmUp: -1, Checks: []Check{{Name: "p99", Quantile: 0.99, Bound: 300 * time.Millisecond, Critical: true}}}
	for _, c := range []struct {
		slow uint64 // of 1,000
		want Class
		text string
	}{
		{2, Pass, "canary 0.20 % of 99,000 slower than 300 ms, at most 1 % allowed; no evidence against it; shown within tolerance"},
		{40, Fail, "canary 4.00 % of 13,000 slower than 300 ms, at most 1 % allowed; evidence 1 in "},
	} {
		j := NewJudge(settings)
		now := time.Unix(1_700_000_000, 0)
		for i := 0; i < 100 && j.Verdict().Class != Fail; i++ {
			now = now.Add(time.Second)
			j.Observe(now, []Block{{Stratum: 1, Weight: 1, CanaryLatency: []Bucket{
				{Index: BucketOf(299_000), Count: 1000 - c.slow}, {Index: BucketOf(303_000), Count: c.slow},
			}}})
		}
		v := j.Verdict()
		if v.Class != c.want || !strings.HasPrefix(v.Text, c.text) {
			t.Errorf("%v: %s", v.Class, v.Text)
		}
	}
}

// A bound is met by what takes just as long, and a bucket that holds the bound is not held against the canary.
func TestLatencyBoundIsAUpperEdge(t *testing.T) {
	for _, micros := range []uint64{1, 255, 256, 1000, 300_000, 12_345_678, math.MaxUint32} {
		i := limitBucket(float64(micros), 0)
		if upperEdge(i) < micros || i > 0 && upperEdge(i-1) >= micros {
			t.Errorf("%d us: bucket %d ends at %d", micros, i, upperEdge(i))
		}
	}
}

// While there is nothing to compare, the absolute checks decide; a comparison that has not begun does not hide them.
func TestAbsoluteBesideAComparison(t *testing.T) {
	settings := Settings{Checks: append(atMost(0.02).Checks, Check{Name: "errors", Relative: 0.1, Absolute: 0.001, Critical: true})}
	if got := NewJudge(settings).Verdict().Checks; got[0].Needed != got[1].Needed || math.Abs(got[0].Needed-400) > 1e-9 {
		t.Errorf("alpha is not shared: %v and %v", got[0].Needed, got[1].Needed)
	}
	for _, c := range []struct {
		weight float64
		want   Class
	}{{0.05, Marginal}, {1, Pass}} {
		s := newSim(t, 1, settings)
		s.weight = c.weight
		s.run(time.Minute)
		if v := s.j.Verdict(); v.Class != c.want || v.Learning != (c.weight < 1) {
			t.Errorf("weight %v: %v: %s", c.weight, v.Class, v.Text)
		}
	}
}

// Without canary requests an absolute check sets no wealth aside.
func TestAbsoluteRestartsOnlyWithTraffic(t *testing.T) {
	s := newSim(t, 1, atMost(0.01))
	s.weight = 1
	s.run(10 * time.Second)
	s.weight = 0
	s.run(10 * time.Minute)
	if n := s.j.memory.Checks[0].Harm.Restarts; n > 2 {
		t.Errorf("%d restarts without a canary", n)
	}
	s.weight = 1
	s.run(5 * time.Minute)
	if n := s.j.memory.Checks[0].Harm.Restarts; n < 4 || n > 8 {
		t.Errorf("%d restarts in five minutes", n)
	}
}

func TestAbsoluteEvidenceIsAboutItsMaximum(t *testing.T) {
	s := newSim(t, 1, atMost(0.01))
	s.weight, s.canary = 1, 0.01
	s.run(20 * time.Second)
	same, err := Restore(atMost(0.01), decode(t, encode(t, s.j)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.j.Verdict(), same.Verdict()); diff != "" {
		t.Error(diff)
	}
	other, err := Restore(atMost(0.02), decode(t, encode(t, s.j)))
	if err != nil || other.Verdict().Checks[0].CanaryTotal != 0 {
		t.Errorf("evidence about 1 %% is taken for evidence about 2 %%: %v", err)
	}
}

func TestSentencesOfAbsoluteChecks(t *testing.T) {
	c := atMost(0.01).Checks[0]
	v := CheckVerdict{Class: Fail, CanaryRate: 0.0311, CanaryTotal: 900, Evidence: 3417, Needed: 200, Clusters: 1}
	const text = "canary 3.11 % of 900 failed, at most 1 % allowed; evidence 1 in 3,400 against chance, needed 1 in 200"
	if got := c.sentence(&v, false); got != text {
		t.Errorf("%q", got)
	}
	if got := c.sentence(&CheckVerdict{Class: NoData}, false); got != "no canary requests were judged yet" {
		t.Errorf("%q", got)
	}
	v.Clusters = 7.2
	if got := c.sentence(&v, false); !strings.Contains(got, "; they come in clusters: about 7 count as one; evidence") {
		t.Errorf("%q", got)
	}
}

func TestAbsoluteSettingsAreValidated(t *testing.T) {
	for name, c := range map[string]Check{
		"max above one":         {Max: 1},
		"negative max":          {Max: -0.1},
		"max is no number":      {Max: math.NaN()},
		"max of a quantile":     {Max: 0.1, Quantile: 0.9},
		"bound without":         {Bound: time.Second},
		"negative bound":        {Bound: -1, Quantile: 0.9},
		"max and relative":      {Max: 0.1, Relative: 0.1},
		"max and absolute":      {Max: 0.1, Absolute: 0.1},
		"bound and slack":       {Bound: 1, Quantile: 0.9, Slack: 1},
		"negative event":        {Event: -1},
		"large event":           {Event: maxEvents + 1},
		"event of a quantile":   {Event: 1, Quantile: 0.9},
		"bound with a relative": {Bound: 1, Quantile: 0.9, Relative: 1},
	} {
		c.Name = "x"
		if (Settings{Checks: []Check{c}}).Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, c := range []Check{{Max: 0.5}, {Bound: 1, Quantile: 0.9}, {Event: maxEvents}, {Event: 1, Max: 0.1}} {
		c.Name = "x"
		if err := (Settings{Checks: []Check{c}}).Validate(); err != nil {
			t.Error(err)
		}
	}
}
