package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A law of latencies with few values, in milliseconds: so many of 1,000 requests each.
type steps map[float64]int

func (l steps) draw(r *rand.Rand) Bucket {
	x := r.IntN(1000)
	for _, ms := range []float64{0.2, 5, 10, 12, 20, 100} {
		if x -= l[ms]; x < 0 {
			return Bucket{Index: BucketOf(uint64(1000 * ms)), Count: 1}
		}
	}
	panic("the law is not complete")
}

// tied plays ten minutes of a canary with one law beside a stable with another: 200 requests a second, weight 20 %.
func tied(seed uint64, stable, canary steps) Verdict {
	r := rand.New(rand.NewPCG(seed, 5))
	j := NewJudge(Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1})
	now := time.Unix(1_700_000_000, 0)
	for range 600 {
		now = now.Add(time.Second)
		b := Block{Stratum: 1, Weight: 0.2}
		for range 200 {
			if r.Float64() < b.Weight {
				b.Canary.Good++
				b.CanaryLatency = append(b.CanaryLatency, canary.draw(r))
			} else {
				b.Stable.Good++
				b.StableLatency = append(b.StableLatency, stable.draw(r))
			}
		}
		j.Observe(now, []Block{b})
	}
	return j.Verdict()
}

func TestLatenciesOfFewValues(t *testing.T) {
	one := steps{10: 1000}
	some := steps{5: 300, 10: 680, 100: 20}
	for name, c := range map[string]struct {
		stable, canary steps
		want           [3]Class // of p50, p90 and p99
	}{
		"all the same":                     {one, one, [3]Class{Pass, Pass, Pass}},
		"all the same, below the unit":     {steps{0.2: 1000}, steps{0.2: 1000}, [3]Class{Pass, Pass, Pass}},
		"a few values":                     {some, some, [3]Class{Pass, Pass, Pass}},
		"two values, the seldom one slow":  {steps{10: 996, 100: 4}, steps{10: 996, 100: 4}, [3]Class{Pass, Pass, Pass}},
		"a slow one in 200 moves no p99":   {one, steps{10: 995, 100: 5}, [3]Class{Pass, Pass, Pass}},
		"a slow one in 25 moves p99 alone": {one, steps{10: 960, 100: 40}, [3]Class{Pass, Pass, Fail}},
		"all slower":                       {one, steps{20: 1000}, [3]Class{Fail, Fail, Fail}},
		"twice as slow":                    {some, steps{10: 300, 20: 680, 100: 20}, [3]Class{Fail, Fail, Pass}},
		"quicker":                          {steps{12: 1000}, one, [3]Class{Pass, Pass, Pass}},
	} {
		v := tied(1, c.stable, c.canary)
		for i, want := range c.want {
			if got := v.Checks[i+1]; got.Class != want {
				t.Errorf("%s, %s: %v, want %v: %s", name, got.Name, got.Class, want, got.Sentence)
			}
		}
	}
}

// Both variants alike, with ties at the quantiles: at most alpha of the rollouts fail.
func TestTiesDoNotRollBack(t *testing.T) {
	unraced(t)
	const rollouts = 60
	wrong := 0
	for seed := range uint64(rollouts) {
		law := steps{5: 480, 10: 420, 12: 88, 100: 12}
		if tied(seed, law, law).Class == Fail {
			wrong++
		}
	}
	if limit := binomialLimit(rollouts, 0.01); wrong > limit {
		t.Errorf("%d of %d rollouts failed, at most %d are chance", wrong, rollouts, limit)
	}
}

// With a share of tied requests the multiplier is fair, too: what counts is the mean badness of stable.
func TestMultiplierIsFairWithTies(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 2000 {
		o := randomOdds(r)
		bad, at := 0.3*r.Float64(), 0.2*r.Float64()
		ps := bad + at*o.tied
		pc := min(1, o.rho*ps+o.delta)
		if pc == 1 {
			continue
		}
		for _, d := range []direction{harm, safe} {
			for j := range d.bets() {
				f, w := o.factors(d, j), o.weight
				mean := w*(pc*math.Exp(f.canaryBad)+(1-pc)*math.Exp(f.canaryGood)) +
					(1-w)*(bad*math.Exp(f.stableBad)+at*math.Exp(f.stableTied)+(1-bad-at)*math.Exp(f.stableGood))
				if !finite(f.stableTied) || math.Abs(mean-1) > 1e-12 {
					t.Fatalf("%+v bet %d of %d: mean %.17g", o, j, d, mean)
				}
			}
		}
	}
}
