//go:build !race

package rollout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// parted is random traffic to a service of parts.
type parted struct {
	r         *rand.Rand
	judge     *analysis.Judge
	now       time.Time
	perSecond float64
	stable    float64                      // share that fails
	canary    [config.MaxParts + 1]float64 // likewise; place 0 is the rest
	shares    [config.MaxParts + 1]float64 // of the requests; what is left is the rest's
}

func newParted(seed uint64, p *config.Policy) *parted {
	r := rand.New(rand.NewPCG(seed, 4242))
	s := &parted{r: r, judge: analysis.NewJudge(settings(p)), now: time.Unix(1_700_000_000, r.Int64N(1e9)), perSecond: 100}
	for i := 1; i < len(s.shares); i++ {
		s.shares[i] = 0.2 / float64(int(1)<<(i/2)) // a few large ones, and small ones
	}
	return s
}

// tick is a quarter of a second.
func (s *parted) tick(weight float64) analysis.Verdict {
	s.now = s.now.Add(tickEvery)
	b := analysis.Block{
		Stratum: stratumSplit, Weight: weight,
		CanaryEvents: make([]analysis.Counts, config.MaxParts), StableEvents: make([]analysis.Counts, config.MaxParts),
	}
	for range int(s.perSecond * tickEvery.Seconds()) {
		part, x := 0, s.r.Float64()
		for i := 1; i < len(s.shares); i++ {
			if x -= s.shares[i]; x < 0 {
				part = i
				break
			}
		}
		side, events, rate := &b.Stable, b.StableEvents, s.stable
		if s.r.Float64() < weight {
			side, events, rate = &b.Canary, b.CanaryEvents, s.canary[part]
		}
		bad := s.r.Float64() < rate
		count := func(c *analysis.Counts) {
			if bad {
				c.Bad++
			} else {
				c.Good++
			}
		}
		count(side)
		if part > 0 {
			count(&events[part-1])
		}
	}
	s.judge.Observe(s.now, []analysis.Block{b})
	return s.judge.Verdict()
}

// mostByChance is the largest count that is believable at the given rate: more has a chance below 1 in 1,000.
func mostByChance(n int, p float64) int {
	lg := func(v int) float64 { x, _ := math.Lgamma(float64(v + 1)); return x }
	sum := 0.0
	for k := range n + 1 {
		sum += math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		if sum >= 0.999 {
			return k
		}
	}
	return n
}

// With eight parts, a canary that is as good as stable, or exactly as bad as allowed in every part, is rolled back, wholly or in a
// part, with a chance of at most alpha.
func TestPartsDoNotFailByChance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	p := eightParts()
	if n := len(settings(&p).Checks); n != 1+config.MaxParts {
		t.Fatalf("%d checks", n)
	}
	e := &p.Checks.Errors
	for _, c := range []struct {
		name     string
		stable   float64
		edge     bool
		alpha    config.Percent
		rollouts int
	}{
		{"alike, 1 %", 0.01, false, onePercent, 120},
		{"at the edge, 3 %", 0.03, true, onePercent, 120},
		{"at the edge, 3 %, alpha 40 %", 0.03, true, 40 * onePercent, 120},
	} {
		wrong := 0
		p.Alpha = c.alpha
		for seed := range c.rollouts {
			s := newParted(uint64(seed), &p)
			s.stable = c.stable
			for i := range s.canary {
				if s.canary[i] = c.stable; c.edge {
					s.canary[i] = c.stable*(1+e.Relative.Ratio()) + e.Absolute.Ratio()
				}
			}
			failed := false
			for n := 0; n < 4*120 && !failed; n++ {
				failed = s.tick([]float64{0.05, 0.2, 0.5}[n/160]).Class == analysis.Fail
			}
			if failed {
				wrong++
			}
		}
		t.Logf("%s: %d of %d failed", c.name, wrong, c.rollouts)
		if most := mostByChance(c.rollouts, p.Alpha.Ratio()); wrong > most {
			t.Errorf("%s: %d of %d failed, at most %d are chance", c.name, wrong, c.rollouts, most)
		}
	}
}

// A canary that is bad in one part is nearly always taken from that part alone: the part is found, and not later than the failures of
// the whole service that it explains. Now and then the whole is found a look earlier, and then all goes back.
func TestABadPartIsTakenBackAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	p := eightParts()
	for _, c := range []struct {
		part int
		bad  float64
	}{{1, 1}, {1, 0.2}, {1, 0.05}, {4, 1}, {4, 0.2}} {
		alone, all := 0, 0
		var took time.Duration
		const runs = 40
		for seed := range runs {
			s := newParted(uint64(9000+seed), &p)
			s.stable = 0.005
			for i := range s.canary {
				s.canary[i] = s.stable
			}
			s.canary[c.part] = c.bad
			state := State{Phase: PhaseProgressing, Policy: p}
			state.Policy.Steps = []config.Step{{Weight: 20 * onePercent}}
			for n := range 4 * 240 {
				v := s.tick(0.2)
				if v.Class != analysis.Fail {
					continue
				}
				took += time.Duration(n) * tickEvery
				if bad := state.failedParts(&v); len(bad) == 1 && bad[0].Name == partCheck(fmt.Sprintf("p%d", c.part-1)) {
					alone++
				} else {
					all++
				}
				break
			}
		}
		t.Logf("part of %.1f %% of the requests that fails %.0f %%: %d alone, %d all, after %v", newParted(0, &p).shares[c.part]*100, c.bad*100,
			alone, all, took/time.Duration(max(1, alone+all)))
		if alone < runs*8/10 {
			t.Errorf("part %d, %v: %d alone and %d all of %d", c.part, c.bad, alone, all, runs)
		}
	}
}
