package main

import (
	"math"
	"testing"
)

// Mean and variance of a Poisson number are its mean; both methods, and the place where they meet.
func TestPoisson(t *testing.T) {
	const n = 40000
	for _, want := range []float64{0.01, 0.5, 3, 11.9, 12.1, 25, 250} {
		d := newDice(1, "poisson", int(want*100))
		sum, squares := 0.0, 0.0
		for range n {
			v := float64(d.poisson(want))
			sum += v
			squares += (v - want) * (v - want)
		}
		near(t, "mean", sum/n, want, 4*math.Sqrt(want/n))
		// The variance of the squared distance is want + 2 want^2.
		near(t, "variance", squares/n, want, 4*math.Sqrt((want+2*want*want)/n))
	}
	if got := newDice(1, "", 0).poisson(0); got != 0 {
		t.Errorf("a mean of nothing gave %d", got)
	}
}

// The whole law, not only two numbers of it.
func TestPoissonLaw(t *testing.T) {
	const n, mean = 100000, 20.0
	d := newDice(2, "law", 0)
	var counts [80]float64
	for range n {
		counts[min(79, d.poisson(mean))]++
	}
	chi, cells := 0.0, 0
	for k := 5; k < 40; k++ {
		lg, _ := math.Lgamma(float64(k + 1))
		expected := n * math.Exp(float64(k)*math.Log(mean)-mean-lg)
		chi += (counts[k] - expected) * (counts[k] - expected) / expected
		cells++
	}
	if chi > 75 { // 99.99 % of a chi-square of 35 is 73
		t.Errorf("chi-square is %.1f over %d cells", chi, cells)
	}
}

func TestAliasDrawsByWeight(t *testing.T) {
	weights := []float64{5, 1, 0, 3, 1}
	a := newAlias(weights)
	d := newDice(3, "alias", 0)
	counts := make([]float64, len(weights))
	const n = 50000
	for range n {
		counts[a.draw(d)]++
	}
	for i, w := range weights {
		p := w / 10
		near(t, "share", counts[i]/n, p, 4*math.Sqrt(p*(1-p)/n)+1e-12)
	}
}

func TestDiceDependOnSeedNameAndRun(t *testing.T) {
	first := newDice(1, "a", 0).pcg.Uint64()
	if newDice(1, "a", 0).pcg.Uint64() != first {
		t.Error("the same dice differ")
	}
	for _, other := range []*dice{newDice(2, "a", 0), newDice(1, "b", 0), newDice(1, "a", 1)} {
		if other.pcg.Uint64() == first {
			t.Error("other dice are the same")
		}
	}
}

func TestIntervals(t *testing.T) {
	// Clopper and Pearson's own values for 5 of 10 and 0 of 10.
	low, high := interval(5, 10)
	near(t, "low", low, 0.1871, 1e-4)
	near(t, "high", high, 0.8129, 1e-4)
	low, high = interval(0, 10)
	near(t, "low of none", low, 0, 0)
	near(t, "high of none", high, 1-math.Pow(0.025, 0.1), 1e-9)
	low, high = interval(10, 10)
	near(t, "low of all", low, math.Pow(0.025, 0.1), 1e-9)
	near(t, "high of all", high, 1, 0)
	if got := believable(1000, 0.01, 0.01); got != 18 {
		t.Errorf("of 1000 runs at 1 %% up to %d are chance, want 18", got)
	}
	if got := believable(10, 0.01, 0.01); got != 1 {
		t.Errorf("of 10 runs up to %d are chance, want 1", got)
	}
}
