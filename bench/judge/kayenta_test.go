package main

import (
	"math"
	"testing"
	"time"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance || math.IsNaN(got) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestRankSum(t *testing.T) {
	// Sorted: 0.5y 1.1x 1.5y 2.2x 2.5y 3.3x, so x has ranks 2, 4, 6. U - nm/2 = 12 - 6 - 4.5 = 1.5, less 0.5 for continuity;
	// variance 3*3/12*7 = 5.25.
	r := ranker{x: []float64{1.1, 2.2, 3.3}, y: []float64{0.5, 1.5, 2.5}}
	near(t, "z", r.z(0), 1/math.Sqrt(5.25), 1e-12)
	// The other way round is the mirror image.
	r = ranker{x: []float64{0.5, 1.5, 2.5}, y: []float64{1.1, 2.2, 3.3}}
	near(t, "mirrored z", r.z(0), -1/math.Sqrt(5.25), 1e-12)
	// Ties: 1x 1y 2x 2y have ranks 1.5, 1.5, 3.5, 3.5; x has 5, and two groups of two ties make 2*(8-2) = 12.
	sum, ties := rankSum([]ranked{{1, true}, {1, false}, {2, true}, {2, false}})
	near(t, "rank sum", sum, 5, 0)
	near(t, "ties", ties, 12, 0)
	// 1x 1y 1y 2x: x has 2 + 4, d = 6 - 3 - 2 = 1, less 0.5; variance 4/12*(5 - 24/12) = 1.
	r = ranker{x: []float64{1, 2}, y: []float64{1, 1}}
	near(t, "z with ties", r.z(0), 0.5, 1e-12)
}

func TestHodgesLehmann(t *testing.T) {
	y := []float64{1, 2, 4, 8, 16, 32}
	x := make([]float64, len(y))
	for i, v := range y {
		x[i] = v + 100
	}
	// The estimate is near the median of all 36 differences, which is 100 as the others come in pairs around it.
	lower, estimate := hodgesLehmann(x, y)
	near(t, "estimate", estimate, 100, 1)
	// The lower end is the difference where 36 wins become few enough: (U - 18 - 0.5)/sqrt(36/12*13) = 2.326 at U = 33.03.
	// With at most 33 of 36 wins, three differences lie below it: 69, 70 and 72 + ...: 101-32, 102-32, 104-32.
	near(t, "lower end", lower, 72, 1e-3)
}

func TestConstantSeries(t *testing.T) {
	hundred, zero := []float64{100, 100, 100, 100, 100}, []float64{0, 0, 0, 0, 0}
	if got := classify(zero, hundred); got != classHigh {
		t.Errorf("five points of 100 %% against none are class %d", got)
	}
	if got := classify(zero[:4], hundred[:4]); got != classPass {
		t.Errorf("four points cannot be told apart, but are class %d", got)
	}
	if got := classify(hundred, hundred); got != classPass {
		t.Errorf("equal series are class %d", got)
	}
}

func TestClassify(t *testing.T) {
	rising := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	shifted := make([]float64, len(rising))
	for i, v := range rising {
		shifted[i] = v + 20
	}
	for _, c := range []struct {
		name                string
		control, experiment []float64
		want                class
	}{
		{"clearly higher", rising, shifted, classHigh},
		{"clearly lower is no harm", shifted, rising, classPass},
		{"alike", rising, []float64{2, 1, 4, 3, 6, 5, 8, 7, 10, 9}, classPass},
		{"no experiment", rising, nil, classNoData},
		{"no control", nil, rising, classNoData},
		{"mostly zeros: the shift is nothing", []float64{0, 0, 0, 0, 0, 0, 0, 1, 0, 0}, []float64{0, 0, 0, 50, 0, 0, 0, 0, 0, 0}, classPass},
	} {
		if got := classify(c.control, c.experiment); got != c.want {
			t.Errorf("%s: class %d, want %d", c.name, got, c.want)
		}
	}
}

// One metric of latency alone is marginal; errors alone, or both of latency, fail it.
func TestKayentaScore(t *testing.T) {
	rising := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	shifted := []float64{31, 32, 33, 34, 35, 36, 37, 38, 39, 40}
	for _, c := range []struct {
		name string
		high []int
		want float64
	}{
		{"all pass", nil, 100},
		{"p99 alone", []int{kayentaTail}, 75},
		{"errors alone", []int{kayentaErrors}, 50},
		{"latency", []int{kayentaMedian, kayentaTail}, 50},
	} {
		k := newKayenta().(*kayenta)
		for i := range k.metrics {
			k.metrics[i].points = [sides][]float64{stable: rising, canary: rising}
		}
		for _, i := range c.high {
			k.metrics[i].points[canary] = shifted
		}
		near(t, c.name, k.score(), c.want, 0)
	}
	k := newKayenta().(*kayenta)
	k.metrics[kayentaErrors].points = [sides][]float64{stable: rising, canary: rising}
	near(t, "two metrics without data", k.score(), 0, 0)
}

// A canary that fails every request has no latency: the judge looks after five minutes and not before.
func TestKayentaLooksEveryFiveMinutes(t *testing.T) {
	k := newKayenta()
	for i := 1; i <= 5; i++ {
		v := viewOf(time.Duration(i)*time.Minute, minute{bad: 60}, minute{latency: repeat(100, 600)})
		at, rollBack := k.look(v)
		if rollBack != (i == 5) {
			t.Fatalf("after %d minutes: %v", i, rollBack)
		}
		if rollBack && at != 5*time.Minute {
			t.Errorf("decided at %v", at)
		}
	}
}
