package main

import (
	"math"
	"testing"
	"time"

	"haldane/analysis"
)

func totals(canaryBad, canaryAll, stableBad, stableAll uint64) *view {
	v := &view{tick: &tick{at: time.Minute}}
	v.total[canary] = analysis.Counts{Bad: canaryBad, Good: canaryAll - canaryBad}
	v.total[stable] = analysis.Counts{Bad: stableBad, Good: stableAll - stableBad}
	return v
}

// 15 against 5 of 100: p = 0.1, z = 0.1/sqrt(0.1*0.9*0.02) = 2.357 > 2.326. 14 against 5: z = 0.09/0.04147 = 2.170.
func TestZTest(t *testing.T) {
	for _, c := range []struct {
		bad  uint64
		want bool
	}{{15, true}, {14, false}, {5, false}, {0, false}} {
		if _, got := (zTest{}).look(totals(c.bad, 100, 5, 100)); got != c.want {
			t.Errorf("%d against 5 of 100: %v", c.bad, got)
		}
	}
	for name, v := range map[string]*view{
		"no canary": totals(0, 0, 5, 100), "no errors": totals(0, 100, 0, 100), "only errors": totals(9, 9, 9, 9),
	} {
		if _, got := (zTest{}).look(v); got {
			t.Errorf("%s: rolled back", name)
		}
	}
}

// Variance 1e-4 and mixture variance 1e-4: log(1/2)/2 + 0.05^2 * 1e-4 / (2 * 1e-4 * 2e-4) = -0.3466 + 6.25.
func TestMSPRT(t *testing.T) {
	near(t, "log ratio", msprtLog(0.05, 1e-4), 6.25-0.5*math.Ln2, 1e-12)
	// 15 against 5 of 100: variance 0.0018; log(0.0018/0.0019)/2 + 0.01*1e-4/(2*0.0018*0.0019) = -0.027 + 0.146.
	if _, rollBack := newMSPRT().look(totals(15, 100, 5, 100)); rollBack {
		t.Error("15 against 5 of 100 is no proof")
	}
	if _, rollBack := newMSPRT().look(totals(150, 1000, 50, 1000)); !rollBack {
		t.Error("150 against 50 of 1000 is one: 0.1^2*1e-4/(2*0.00018*0.00028) = 9.9 - 0.2")
	}
	if _, rollBack := newMSPRT().look(totals(50, 1000, 150, 1000)); rollBack {
		t.Error("a better canary was rolled back")
	}
}

// Three errors, all of the canary, at weight 1 %: 0.01 * 1.01/2 * 2.01/3 under the mixture, 0.01^3 under the null.
func TestLindonMalek(t *testing.T) {
	near(t, "log ratio", betaMixtureLog(3, 0, 0.01), math.Log(0.01*1.01/2*2.01/3/1e-6), 1e-9)
	near(t, "log ratio at one half", betaMixtureLog(3, 0, 0.5), math.Log(0.5*1.5/2*2.5/3/0.125), 1e-9)
	l := newLindonMalek()
	v := func(weight float64, mine, others uint64) *view {
		k := &tick{at: time.Second, weight: weight}
		k.ended.Canary.Bad, k.ended.Stable.Bad = mine, others
		return &view{tick: k}
	}
	for i, want := range []bool{false, false, true} {
		if _, got := l.look(v(0.01, 1, 0)); got != want {
			t.Errorf("after %d errors: %v", i+1, got)
		}
	}
	// A canary that never fails is evidence of a difference too, but not of harm.
	l = newLindonMalek()
	if _, got := l.look(v(0.5, 0, 100)); got {
		t.Error("rolled back for the errors of stable")
	}
	// Two weights multiply: two errors at 1 % are worth 50.5, one at 10 % is worth 1.
	m := newLindonMalek().(*lindonMalek)
	m.look(v(0.01, 2, 0))
	m.look(v(0.1, 1, 0))
	near(t, "product", m.evidence, math.Log(0.01*1.01/2/1e-4), 1e-9)
}
