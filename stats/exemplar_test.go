package stats

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// An example stands in the bucket in which its latency was counted, in the exposition of OpenMetrics, the last bucket included.
func TestExamples(t *testing.T) {
	r := NewRegistry(1)
	v := r.Service("shop").Variant("v1")
	at := time.Unix(1_800_000_000, 0)
	for trace, latency := range map[string]time.Duration{"aa": 3 * time.Millisecond, "bb": 80 * time.Millisecond, "cc": 20 * time.Second} {
		v.Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: latency})
		v.Exemplify(OutcomeOK, Example{Trace: "old", Latency: latency, Time: at.Add(-time.Hour)})
		v.Exemplify(OutcomeOK, Example{Trace: trace, Latency: latency, Time: at})
	}
	v.Exemplify(OutcomeConnect, Example{Trace: "dd", Latency: 500 * time.Millisecond, Time: at})
	got := textAs(t, NewCollector(r, nil, nil), "application/openmetrics-text; version=1.0.0")
	for _, line := range []string{
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="0.005"} 1 # {trace_id="aa"} 0.003 1.8e+09`,
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="0.1"} 2 # {trace_id="bb"} 0.08 1.8e+09`,
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="+Inf"} 3 # {trace_id="cc"} 20.0 1.8e+09`,
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="0.5"} 2` + "\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("there is no %q in\n%s", line, got)
		}
	}
	if strings.Count(got, `le="+Inf"`) != 1 || strings.Contains(got, "dd") || strings.Contains(got, "old") {
		t.Error(got)
	}
}

// The bucket of an example is that of the histogram, whatever the latency.
func TestExamplesFitTheHistogram(t *testing.T) {
	l, random := newLayout(), rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		latency := time.Duration(random.ExpFloat64() * float64(time.Second))
		if got, want := classicBucket(latency), int(l.classic[BucketIndex(microseconds(latency))]); got != want {
			t.Fatalf("%v: bucket %d, counted in %d", latency, got, want)
		}
	}
}
