package analysis

import (
	"math"
	"testing"
	"time"
)

// Whatever the spread is, it is of one unit of money: more would be a false start of every test.
func TestStakesAreOfAllTheMoneyAndNoMore(t *testing.T) {
	for _, c := range []Check{
		{Name: "errors"},
		{Name: "p25", Quantile: 0.25},
		{Name: "p50", Quantile: 0.5},
		{Name: "p90", Quantile: 0.9},
		{Name: "p99", Quantile: 0.99},
		{Name: "bound", Quantile: 0.5, Bound: time.Second},
		{Name: "sold", Metric: Metric{Kind: MetricShare}},
	} {
		for _, d := range []direction{harm, safe, mild} {
			s, sum := c.stakes(d), 0.0
			for j := range d.bets() {
				sum += math.Exp(s[j])
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("%s, direction %d: stakes of %.17g", c.Name, d, sum)
			}
			if median := c.Quantile > 0 && c.Quantile <= 0.5 && d == harm; (s == even(d)) == median {
				t.Errorf("%s, direction %d: %v", c.Name, d, s)
			}
		}
	}
}

// The largest bet of a median does not depend on the weight: that is what makes it possible to say which sizes matter.
func TestBetsOfAMedianDoNotDependOnTheWeight(t *testing.T) {
	for _, quantile := range []float64{0.5, 0.25} {
		want := odds{weight: 0.001, centre: 1 - quantile, rho: 1}.kappa(harm, 0)
		for w := 0.01; w <= 0.5; w += 0.01 {
			if got := (odds{weight: w, centre: 1 - quantile, rho: 1}).kappa(harm, 0); math.Abs(got-want) > 1e-12 {
				t.Errorf("quantile %v at weight %v: %v instead of %v", quantile, w, got, want)
			}
		}
	}
}
