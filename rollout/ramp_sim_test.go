//go:build !race

package rollout

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// trial is one release with random traffic: requests are drawn and fail by chance.
type trial struct {
	*world
	r              *rand.Rand
	rate           int
	canary, stable float64 // the shares that fail
}

// newTrial begins a release under a policy that judges errors alone.
func newTrial(seed uint64, p config.Policy) *trial {
	p.Checks.Latency = nil
	spec := Spec{Service: "shop", Stable: "v1", Canary: "v2", PolicyName: "trial", Policy: p.Steady()}
	tr := &trial{world: newWorld(), r: rand.New(rand.NewPCG(seed, 5))}
	tr.judge = analysis.NewJudge(settings(&spec.Policy))
	tr.make(created(spec, tr.now, birth{}, ""))
	tr.make(Step(tr.state, tr.now, Observation{}))
	return tr
}

// second lets one second pass in looks of a quarter.
func (tr *trial) second() {
	for range 4 {
		tr.now = tr.now.Add(tickEvery)
		weight := tr.state.split().Weight.Ratio()
		one := analysis.Block{Stratum: stratumSplit, Weight: weight}
		for range tr.rate / 4 {
			side, bad := &one.Stable, tr.stable
			if tr.r.Float64() < weight {
				side, bad = &one.Canary, tr.canary
			}
			if tr.r.Float64() < bad {
				side.Bad++
			} else {
				side.Good++
			}
		}
		var b block
		b.add(one)
		tr.see(b)
	}
}

// end lets time pass until the release bakes or ended, or the limit is over. It says how long that took.
func (tr *trial) end(limit time.Duration) time.Duration {
	for tr.now.Sub(tr.start) < limit && tr.state.Phase == PhaseProgressing {
		tr.second()
	}
	return tr.now.Sub(tr.start)
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// A good canary is through its ramp sooner than through the steps of the built-in policy, at the same traffic.
func TestGoodCanaryRampsFasterThanSteps(t *testing.T) {
	t.Parallel()
	for rate, part := range map[int]float64{20: 1, 100: 0.5, 400: 0.5} { // thin traffic waits for evidence either way
		var ramp, steps []float64
		for seed := range uint64(5) {
			for _, c := range []struct {
				took   *[]float64
				policy config.Policy
			}{{&ramp, growing()}, {&steps, config.Careful()}} {
				tr := newTrial(seed, c.policy)
				tr.rate, tr.canary, tr.stable = rate, 0.005, 0.005
				took := tr.end(2 * time.Hour)
				if tr.state.Phase == PhaseRolledBack {
					t.Errorf("seed %d at %d/s: a good canary was rolled back: %s", seed, rate, tr.state.Reason)
				}
				*c.took = append(*c.took, took.Minutes())
			}
		}
		t.Logf("at %d/s: ramp %.1f min, steps %.1f min", rate, median(ramp), median(steps))
		if median(ramp) > part*median(steps) {
			t.Errorf("at %d/s the ramp takes %.1f min, steps take %.1f", rate, median(ramp), median(steps))
		}
	}
}

// A bad canary costs no more failures on a ramp than on the steps of the built-in policy: what is found is found after as many
// failures, whatever the weight.
func TestBadCanaryCostsNoMoreOnARamp(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{100, 400} {
		for _, bad := range []float64{1, 0.2, 0.05, 0.02} {
			var failures, times [2][]float64
			for seed := range uint64(9) {
				for i, p := range []config.Policy{growing(), config.Careful()} {
					tr := newTrial(seed, p)
					tr.rate, tr.canary, tr.stable = rate, bad, 0.005
					took := tr.end(time.Hour)
					if tr.state.Phase != PhaseRolledBack {
						t.Errorf("seed %d: %.0f%% at %d/s is %s after %s", seed, 100*bad, rate, tr.state.Phase, took)
					}
					failures[i] = append(failures[i], float64(tr.spent))
					times[i] = append(times[i], took.Seconds())
				}
			}
			t.Logf("%.0f%% at %d/s: ramp %.0f failures in %.0f s (at most %.0f), steps %.0f in %.0f s (at most %.0f)", 100*bad, rate,
				median(failures[0]), median(times[0]), slices.Max(failures[0]), median(failures[1]), median(times[1]), slices.Max(failures[1]))
			if median(failures[0]) > 1.25*median(failures[1])+2 {
				t.Errorf("%.0f%% at %d/s costs %.0f failures on a ramp, %.0f on steps", 100*bad, rate, median(failures[0]), median(failures[1]))
			}
		}
	}
}
