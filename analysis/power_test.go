package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// growth against the mean and the mean of squares, summed up over the four kinds of requests.
func TestGrowthIsThatOfTheFactors(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for range 500 {
		o := randomOdds(r)
		pc, ps := r.Float64(), r.Float64()
		f := o.factors(harm, r.IntN(harmBets))
		mean, squares := 0.0, 0.0
		for _, k := range []struct{ chance, gain float64 }{
			{o.weight * pc, f.canaryBad},
			{o.weight * (1 - pc), f.canaryGood},
			{(1 - o.weight) * ps, f.stableBad},
			{(1 - o.weight) * (1 - ps), f.stableGood},
		} {
			mean += k.chance * k.gain / o.weight
			squares += k.chance * k.gain * k.gain / o.weight
		}
		m, v := o.growth(&f, pc, ps)
		near(t, "mean", m, mean)
		near(t, "variance", v, squares)
	}
}

func TestExposuresKeepTheSum(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 1))
	var x exposures
	sum, weighted := 0.0, 0.0
	for range 1000 {
		w, n := float64(1+r.IntN(30))/40, r.Uint64N(50)
		x.add(w, n)
		sum += float64(n)
		weighted += w * float64(n)
	}
	got, mean := 0.0, 0.0
	for _, e := range x {
		got += e.Canary
		mean += e.Weight * e.Canary
	}
	near(t, "requests", got, sum)
	near(t, "mean weight", mean, weighted)
	x = exposures{}
	for range 3 {
		x.add(0.5, 10)
		x.add(0, 0)
		x.add(0.01, 7)
	}
	if want := (exposures{{0.5, 30}, {0.01, 21}}); x != want {
		t.Errorf("%v, want %v", x, want)
	}
}

// A judge that has waited exactly as long as the planner says can see just what the planner supposed.
func TestDetectableIsThePlannersInverse(t *testing.T) {
	for _, c := range []Check{{Relative: 0.1, Absolute: 0.001}, {Max: 0.01}} {
		for _, w := range []float64{0.01, 0.1, 0.5} {
			for _, rate := range []float64{0.02, 0.1, 0.5} {
				p := Plan{Check: c, Weight: w, StableRate: 0.005, CanaryRate: rate, Level: 0.005}
				n, known := p.Finds()
				if !known {
					t.Fatalf("%+v is not known", p)
				}
				if mean, _ := p.Fails(); mean >= n {
					t.Errorf("%+v: found for sure after %v, in the mean after %v", p, n, mean)
				}
				var k checkState
				k.Seen[0] = exposure{w, n}
				if c.absolute() {
					k.Seen[0].Weight = 0
				}
				if got := c.detectable(&k, 0.005, -math.Log(0.005)); math.Abs(got/rate-1) > 0.01 {
					t.Errorf("weight %v: %v requests show %v, want %v", w, n, got, rate)
				}
				k.Seen[0].Canary /= 2
				fewer := c.detectable(&k, 0.005, -math.Log(0.005))
				if fewer != 0 && fewer <= rate {
					t.Errorf("weight %v: half of the requests show %v", w, fewer)
				}
				k.Seen[0].Canary *= 2
				k.Clumps = clumps{Squares: 1e5, Bad: 1e4, Busy: 1e3} // clusters of ten
				if got := c.detectable(&k, 0.005, -math.Log(0.005)); got != 0 && got <= rate {
					t.Errorf("weight %v: with clusters, %v is seen", w, got)
				}
			}
		}
	}
	c := Defaults().Checks[0]
	if got := c.detectable(&checkState{}, 0, 5); got != 0 {
		t.Errorf("without requests %v is seen", got)
	}
}

// What is called detectable is detected in four of five cases, or a little more.
func TestPowerIsWhatItIsSaidToBe(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	for _, c := range []struct {
		perSecond, weight, stable float64
		wait                      time.Duration
	}{{100, 0.1, 0.01, time.Minute}, {100, 0.5, 0.002, time.Minute}, {100, 0.05, 0.001, 5 * time.Minute}} {
		play := func(seed uint64, canary float64) *sim {
			s := newSim(t, seed, Defaults())
			s.perSecond, s.stable, s.canary, s.weight = c.perSecond, c.stable, canary, 0
			s.run(time.Minute)
			s.weight = c.weight
			s.run(c.wait)
			return s
		}
		rate := 0.0
		for seed := range uint64(8) {
			rate += play(seed, c.stable).j.memory.Checks[0].Detectable / 8
		}
		const rollouts = 120
		found := 0
		for seed := range uint64(rollouts) {
			if play(100+seed, rate).failed() {
				found++
			}
		}
		t.Logf("%+v: %.2f %% is found in %d of %d", c, 100*rate, found, rollouts)
		if found < rollouts*68/100 || found > rollouts*97/100 {
			t.Errorf("%+v: %v is found in %d of %d", c, rate, found, rollouts)
		}
	}
}

// climb plays a rollout over a ladder of steps at little traffic, each of which waits for what the gate asks, half an hour at most.
func climb(s *sim, gate func(*CheckVerdict) bool) string {
	s.run(time.Minute)
	for _, w := range []float64{0.01, 0.05, 0.25, 0.50} {
		s.weight = w
		s.j.NewStep(s.now)
		for began := s.now; ; s.tick() {
			k := &s.j.Verdict().Checks[0]
			took := s.now.Sub(began)
			switch {
			case k.Class == Fail:
				return "rolled back"
			case took > 30*time.Minute:
				return "held"
			}
			if took >= time.Minute && k.StepCanary >= 50 && k.Score >= 50 && (w < 0.5 || gate(k)) {
				break
			}
		}
	}
	return "promoted"
}

// At ten requests a second, steps that wait a minute promote bad canaries, because nothing could be seen yet. A last step that
// waits until a gross regression could be seen does not, and lets good canaries pass.
func TestPoweredStepsPromoteTheGoodOnes(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	const rollouts = 10
	for _, c := range []struct {
		stable, canary float64
		low, high      int // promoted
	}{{0.001, 0.001, 9, 10}, {0.005, 0.005, 9, 10}, {0.001, 0.01, 0, 1}, {0.01, 0.05, 0, 1}} {
		var promoted [2]int
		for i, gate := range []func(*CheckVerdict) bool{
			func(*CheckVerdict) bool { return true },
			func(k *CheckVerdict) bool { return k.Powered },
		} {
			for seed := range uint64(rollouts) {
				s := newSim(t, seed, Defaults())
				s.perSecond, s.stable, s.canary = 10, c.stable, c.canary
				if climb(s, gate) == "promoted" {
					promoted[i]++
				}
			}
		}
		t.Logf("%v -> %v: promoted %d without the gate and %d with it, of %d", c.stable, c.canary, promoted[0], promoted[1], rollouts)
		if promoted[1] < c.low || promoted[1] > c.high {
			t.Errorf("%v -> %v: %d promoted", c.stable, c.canary, promoted[1])
		}
	}
}

func TestSeesInPlainWords(t *testing.T) {
	c := Defaults().Checks[0]
	for want, v := range map[string]CheckVerdict{
		"too early: not even a canary whose requests are all failed":                         {},
		"a canary with 4.20 % failed, or more, would have been found by now in 4 of 5 cases": {Detectable: 0.042, Powered: true},
		"or more, would have been found by now in 4 of 5 cases; less than 1.11 % is wanted":  {Detectable: 0.042, Gross: 0.0111},
	} {
		if got := c.sees(&v); !strings.Contains(got, want) || strings.HasSuffix(got, "wanted") != (v.Gross > 0) {
			t.Errorf("%q", got)
		}
	}
	v := NewJudge(Defaults()).Verdict().Checks[0]
	near(t, "gross", v.Gross, 0.011)
	if v.Powered {
		t.Error("a judge that knows nothing is said to see")
	}
}

func TestForecastFind(t *testing.T) {
	s := Defaults()
	f, known := s.ForecastFind("errors", 0.5, 0.001, 0.01, 10)
	if !known || math.Abs(f.Wait.Seconds()-f.Requests/5) > 1 {
		t.Fatalf("%+v %v", f, known)
	}
	const text = "at 5 canary requests/s a canary with 1.00 % failed is found within about 14 min (4,300 of them) in 4 of 5 cases"
	if f.Sentence != text {
		t.Errorf("%q", f.Sentence)
	}
	for _, c := range []struct {
		check         string
		w, s, c, rate float64
	}{{"other", 0.5, 0, 1, 1}, {"errors", 0, 0, 1, 1}, {"errors", 0.5, 0, 1, 0}, {"errors", 0.5, 0.01, 0.01, 1}, {"errors", 1, 0, 1, 1}} {
		if f, known := s.ForecastFind(c.check, c.w, c.s, c.c, c.rate); known {
			t.Errorf("%+v is known: %+v", c, f)
		}
	}
	if _, known := atMost(0.01).ForecastFind("slo", 1, 0, 0.05, 10); !known {
		t.Error("an absolute check needs no comparison")
	}
}
