package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What is said to be missing is enough, and much less is not.
func TestMissingIsWhatMakesItPowered(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 1))
	known := 0
	for range 300 {
		c := Check{Relative: 0.2 * r.Float64(), Absolute: 0.01 * r.Float64()}
		switch r.IntN(4) {
		case 0:
			c = Check{Max: 0.05 * r.Float64()}
		case 1:
			c = Check{Quantile: []float64{0.5, 0.9, 0.99}[r.IntN(3)]}
		}
		stable, weight := 0.1*r.Float64()*r.Float64(), 0.01+0.8*r.Float64()
		if c.absolute() {
			stable = 0 // it has none
		} else if c.latency() {
			stable = 1 - c.Quantile
		}
		var k checkState
		k.Seen.add(0.01+0.5*r.Float64(), r.Uint64N(200))
		if c.absolute() {
			k.Seen = exposures{}
			k.Seen.add(0, r.Uint64N(20))
		}
		want := c.gross(c.allowed(stable))
		n := c.missing(&k, stable, 5.3, want, weight)
		if n == 0 {
			continue
		}
		known++
		if c.absolute() {
			weight = 0
		}
		sees := func(more float64) bool {
			with := k
			with.Seen.add(weight, uint64(more))
			d := c.detectable(&with, stable, 5.3)
			return d > 0 && d <= want*(1+1e-3)
		}
		if !sees(n) || n > 50 && sees(math.Floor(0.9*n)-2) {
			t.Errorf("%+v, stable %v, weight %v: %v are missing, with them %v, with fewer %v", c, stable, weight, n, sees(n), sees(math.Floor(0.9*n)-2))
		}
	}
	if known < 200 {
		t.Errorf("%d cases are too few", known)
	}
	c := Defaults().Checks[0]
	for _, weight := range []float64{0, 0.95, 1} {
		if n := c.missing(&checkState{}, 0.001, 5.3, 0.01, weight); n != 0 {
			t.Errorf("at weight %v nothing is learnt, and %v requests are to help", weight, n)
		}
	}
	if n := c.missing(&checkState{}, 0.5, 5.3, c.allowed(0.5), 0.5); n != 0 {
		t.Errorf("%v requests are to find what is allowed", n)
	}
}

func TestGrossIsThreeTimesTheOdds(t *testing.T) {
	for _, c := range []struct{ allowed, want float64 }{{0, 0.01}, {0.001, 0.011}, {0.01, 0.03 / 1.02}, {0.5, 0.75}, {1, 1}} {
		if got := gross(c.allowed); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("of %v: %v, want %v", c.allowed, got, c.want)
		}
	}
	p99 := Check{Quantile: 0.99}
	if got := p99.gross(0); math.Abs(got-0.03/1.02) > 1e-9 {
		t.Errorf("where all answers take the same time: %v", got)
	}
}

// The forecast supposes what then happens: the same requests give the judge the same sight.
func TestOutlookIsWhatTheJudgeSees(t *testing.T) {
	settings := Defaults()
	s := newSim(t, 3, settings)
	s.perSecond, s.stable, s.canary, s.weight = 200, 0.004, 0.004, 0.2
	s.run(40e9)
	v := s.j.Verdict().Checks[0]
	o, known := settings.Outlook("errors", v.StableRate, []Exposure{{0.2, float64(v.CanaryTotal)}})
	if !known || math.Abs(o.Detectable/v.Detectable-1) > 0.15 || o.Allowed != v.Allowed {
		t.Errorf("%+v, the judge says %+v", o, v)
	}
	if !o.Powered && o.Missing == 0 {
		t.Errorf("nothing is missing, and it is not powered: %+v", o)
	}
	if _, known := settings.Outlook("nothing", 0, []Exposure{{0.2, 1}}); known {
		t.Error("an outlook of no check")
	}
	if _, known := settings.Outlook("errors", 0, nil); known {
		t.Error("an outlook without requests")
	}
}
