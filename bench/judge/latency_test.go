package main

import (
	"math"
	"testing"

	"haldane/analysis"
)

func TestQuantiles(t *testing.T) {
	// Log-normal, median 80 ms, sigma 0.6: p99 is 80 e^(0.6 * 2.3263).
	near(t, "median", logNormal().quantile(0.5), 80e3, 1)
	near(t, "p99", logNormal().quantile(0.01), 80e3*math.Exp(0.6*2.3263478740408408), 1)
	for name, f := range map[string]family{"log-normal": logNormal(), "heavy tail": heavyTail(), "bimodal": bimodal()} {
		for _, q := range []float64{0.9, 0.5, 0.1, 0.01, 1e-5} {
			if got := f.above(f.quantile(q)); math.Abs(got/q-1) > 1e-6 {
				t.Errorf("%s: above the quantile of %v is %v", name, q, got)
			}
		}
	}
}

// The table gives what the family says, the last cell too.
func TestDrawnLatencies(t *testing.T) {
	for name, f := range map[string]family{"log-normal": logNormal(), "heavy tail": heavyTail(), "bimodal": bimodal()} {
		table := newLatencies(f, 0)
		d := newDice(1, name, 0)
		const n = 400000
		limits := []float64{0.5, 0.1, 0.01, 0.001}
		edges := make([]float64, len(limits))
		for i, q := range limits {
			edges[i] = f.quantile(q)
		}
		counts := make([]float64, len(limits))
		for range n {
			v := table.draw(d.pcg.Uint64(), d)
			for i := range limits {
				if v > edges[i] {
					counts[i]++
				}
			}
		}
		for i, q := range limits {
			near(t, name, counts[i]/n, q, 4*math.Sqrt(q*(1-q)/n))
		}
	}
}

func TestStretchMovesTheTailAlone(t *testing.T) {
	f := logNormal()
	s := f.stretch(2)
	near(t, "p50", s.of(f.quantile(0.5)), f.quantile(0.5), 0)
	near(t, "p90", s.of(f.quantile(0.1)), f.quantile(0.1), 1e-6)
	near(t, "p99", s.of(f.quantile(0.01)), 2*f.quantile(0.01), 1e-3)
	near(t, "nothing", f.stretch(1).of(1e9), 1e9, 0)
}

// Buckets are found as the judge lays them out: 256 of one microsecond, then 128 for each power of two.
func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		micros float64
		want   int
	}{{0, 0}, {255.9, 255}, {256, 256}, {257, 256}, {258, 257}, {511, 383}, {512, 384}, {1 << 20, 1792}, {1e18, analysis.NumBuckets - 1}} {
		if got := bucketOf(c.micros); got != c.want {
			t.Errorf("%v us is in bucket %d, want %d", c.micros, got, c.want)
		}
	}
	for i := range analysis.NumBuckets - 1 {
		if got := bucketOf(upperEdge(i)); got != i+1 {
			t.Fatalf("bucket %d ends at %v, which is in %d", i, upperEdge(i), got)
		}
	}
}

// The buckets are the judge's own.
func TestBucketsAreThoseOfTheJudge(t *testing.T) {
	d := newDice(4, "buckets", 0)
	for range 200000 {
		micros := math.Exp(d.float() * 24)
		if got, want := bucketOf(micros), analysis.BucketOf(uint64(micros)); got != want {
			t.Fatalf("%v us is in bucket %d, want %d", micros, got, want)
		}
	}
	for _, edge := range []uint64{0, 1, 255, 256, 257, 1<<20 - 1, 1 << 20, 1<<32 - 1, 1 << 40} {
		if got, want := bucketOf(float64(edge)), analysis.BucketOf(edge); got != want {
			t.Errorf("%v us is in bucket %d, want %d", edge, got, want)
		}
	}
}

func TestQuantileOfCounts(t *testing.T) {
	var counts [analysis.NumBuckets]uint32
	if _, some := quantileOf(&counts, 0, 0.5); some {
		t.Error("a quantile of nothing")
	}
	for i := range 100 {
		counts[i] = 1
	}
	for _, c := range []struct{ p, want float64 }{{0.5, 50}, {0.99, 99}, {0.01, 1}} {
		got, _ := quantileOf(&counts, 100, c.p)
		near(t, "quantile", got, c.want, 0)
	}
}
