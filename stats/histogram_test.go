package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// vectors are values that were computed by another program.
type vectors struct {
	Buckets []struct {
		Micros uint64 `json:"us"`
		Index  int    `json:"index"`
		Lower  uint64 `json:"lower"`
		Upper  uint64 `json:"upper"`
	} `json:"buckets"`
	NumBuckets     int `json:"num_buckets"`
	QuantileBucket []struct {
		Counts [][2]uint64 `json:"counts"`
		P      float64     `json:"p"`
		Index  int         `json:"index"`
	} `json:"quantile_bucket"`
}

func loadVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/histogram_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Buckets) == 0 || len(v.QuantileBucket) == 0 {
		t.Fatal("no vectors")
	}
	return v
}

func TestHistogramVectors(t *testing.T) {
	v := loadVectors(t)
	if Buckets != v.NumBuckets {
		t.Errorf("Buckets = %d, want %d", Buckets, v.NumBuckets)
	}
	for _, want := range v.Buckets {
		index := BucketIndex(want.Micros)
		if index != want.Index || BucketLower(index) != want.Lower || BucketUpper(index) != want.Upper {
			t.Errorf("%d us: bucket %d [%d, %d), want %d [%d, %d)", want.Micros,
				index, BucketLower(index), BucketUpper(index), want.Index, want.Lower, want.Upper)
		}
	}
	for i, want := range v.QuantileBucket {
		var h Histogram
		for _, c := range want.Counts {
			h.counts[c[0]] += c[1]
			h.count += c[1]
		}
		if index, ok := h.QuantileBucket(want.P); !ok || index != want.Index {
			t.Errorf("vector %d: quantile %v in bucket %d, want %d", i, want.P, index, want.Index)
		}
	}
}

// The buckets cover every time without a gap, and none is wider than 1/128 of its lower edge.
func TestBucketsAreContiguous(t *testing.T) {
	var edge uint64
	for i := range Buckets {
		lower, upper := BucketLower(i), BucketUpper(i)
		if lower != edge || upper <= lower {
			t.Fatalf("bucket %d is [%d, %d), the one before ends at %d", i, lower, upper, edge)
		}
		if lower >= 256 && (upper-lower)*128 > lower {
			t.Fatalf("bucket %d [%d, %d) is too wide", i, lower, upper)
		}
		if BucketIndex(lower) != i || BucketIndex(upper-1) != i {
			t.Fatalf("the edges of bucket %d are in %d and %d", i, BucketIndex(lower), BucketIndex(upper-1))
		}
		edge = upper
	}
	if edge != 1<<32 {
		t.Errorf("the last bucket ends at %d", edge)
	}
}

// A quantile is that of the sorted values, up to the width of a bucket.
func TestQuantileAgainstSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var h Histogram
		var values []time.Duration
		var sum uint64
		for range 1 + rng.IntN(500) {
			d := time.Duration(math.Exp(rng.Float64()*15)) * time.Microsecond
			values = append(values, d)
			sum += uint64(d / time.Microsecond)
			h.Observe(d)
		}
		slices.Sort(values)
		if h.Count() != uint64(len(values)) || h.Sum() != sum {
			t.Fatalf("round %d: count %d sum %d, want %d %d", round, h.Count(), h.Sum(), len(values), sum)
		}
		for _, p := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1} {
			rank := max(int(math.Ceil(p*float64(len(values)))), 1)
			want := values[rank-1]
			got := h.Quantile(p)
			if got < want || float64(got) > float64(want+time.Microsecond)*(1+1.0/128) {
				t.Errorf("round %d: quantile %v of %d values = %v, want %v", round, p, len(values), got, want)
			}
		}
	}
}

func TestHistogramMergeAndSubtract(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var a, b, both Histogram
	for range 1000 {
		d := time.Duration(rng.Uint64N(1e10))
		both.Observe(d)
		if rng.IntN(2) == 0 {
			a.Observe(d)
		} else {
			b.Observe(d)
		}
	}
	first := a
	a.Merge(&b)
	if diff := cmp.Diff(both, a, cmp.AllowUnexported(Histogram{})); diff != "" {
		t.Errorf("merged: %s", diff)
	}
	a.Subtract(&b)
	if diff := cmp.Diff(first, a, cmp.AllowUnexported(Histogram{})); diff != "" {
		t.Errorf("subtracted: %s", diff)
	}
	a.Reset()
	if a.Count() != 0 || a.Sum() != 0 || a.Quantile(0.5) != 0 {
		t.Error("Reset left something")
	}
}

func TestHistogramExtremes(t *testing.T) {
	var h Histogram
	h.Observe(-time.Second)
	h.Observe(100 * time.Hour)
	if h.Bucket(0) != 1 || h.Bucket(Buckets-1) != 1 {
		t.Error("a negative time belongs into the first bucket, a huge one into the last")
	}
	if want := uint64(100 * time.Hour / time.Microsecond); h.Sum() != want {
		t.Errorf("sum %d, want %d: it is not limited by the last bucket", h.Sum(), want)
	}
}
