package main

import (
	"testing"
	"time"

	"haldane/analysis"
)

// minute is what one variant did in a minute: failed requests, and good ones with their latencies in milliseconds.
type minute struct {
	bad     int
	latency []float64
}

func (m minute) scrape() scrape {
	s := scrape{bad: uint64(m.bad), good: uint64(len(m.latency))}
	for _, ms := range m.latency {
		s.latency[bucketOf(1000*ms)]++
	}
	return s
}

func viewOf(at time.Duration, canaryMinute, stableMinute minute) *view {
	v := &view{tick: &tick{at: at}}
	v.window[canary], v.window[stable] = canaryMinute.scrape(), stableMinute.scrape()
	return v
}

func repeat(ms float64, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = ms
	}
	return list
}

func TestHealthyWindow(t *testing.T) {
	usual := minute{latency: repeat(100, 1000)}
	for _, c := range []struct {
		name   string
		canary minute
		stable minute
		want   bool
	}{
		{"nothing wrong", minute{latency: repeat(100, 100)}, usual, true},
		{"1 of 100 failed is 99 %, which is enough", minute{bad: 1, latency: repeat(100, 99)}, usual, true},
		{"1 of 60 failed is 98.3 %", minute{bad: 1, latency: repeat(100, 59)}, usual, false},
		{"no requests are no values", minute{}, usual, false},
		{"p99 is 1.4 times stable's", minute{latency: repeat(140, 100)}, usual, true},
		{"p99 is 1.6 times stable's", minute{latency: repeat(160, 100)}, usual, false},
		{"2 slow of 100 are beyond p99", minute{latency: append(repeat(100, 98), 900, 900)}, usual, false},
		{"1 slow of 100 is not", minute{latency: append(repeat(100, 99), 900)}, usual, true},
		{"nothing to compare with", minute{latency: repeat(900, 100)}, minute{}, true},
	} {
		if got := healthyWindow(viewOf(time.Minute, c.canary, c.stable)); got != c.want {
			t.Errorf("%s: healthy is %v", c.name, got)
		}
	}
}

// Five failed checks end it, and good ones between them change nothing.
func TestFlaggerCountsFailedChecks(t *testing.T) {
	good := viewOf(time.Minute, minute{latency: repeat(100, 60)}, minute{latency: repeat(100, 60)})
	bad := viewOf(time.Minute, minute{bad: 60}, minute{latency: repeat(100, 60)})
	f := newFlagger(5)
	for i, v := range []*view{bad, good, bad, bad, good, good, bad} {
		if _, rollBack := f.look(v); rollBack {
			t.Fatalf("rolled back at look %d", i)
		}
	}
	if _, rollBack := f.look(bad); !rollBack {
		t.Error("the fifth failed check did not roll back")
	}
}

func TestArgoFailsBeyondTheLimit(t *testing.T) {
	bad := viewOf(time.Minute, minute{bad: 60}, minute{latency: repeat(100, 60)})
	a := newArgo(3)
	for i := range 3 {
		if _, rollBack := a.look(bad); rollBack {
			t.Fatalf("rolled back at failure %d, the limit is 3", i+1)
		}
	}
	if _, rollBack := a.look(bad); !rollBack {
		t.Error("the fourth failure did not roll back")
	}
}

// The window is the last minute and nothing older.
func TestWindowIsTheLastMinute(t *testing.T) {
	var v view
	for at := tickLength; at <= 3*time.Minute; at += tickLength {
		k := &tick{at: at}
		k.ended.Canary = analysis.Counts{Bad: 1}
		if at > 2*time.Minute { // one good request in each tick of the last minute
			k.ended.Canary = analysis.Counts{Good: 1}
			k.ended.CanaryLatency = []analysis.Bucket{{Index: 200, Count: 1}}
		}
		v.take(k)
		if at == 2*time.Minute && v.window[canary].bad != 240 {
			t.Errorf("after two minutes the window has %d failures, not 240", v.window[canary].bad)
		}
		if at == 2*time.Minute+30*time.Second && (v.window[canary].bad != 120 || v.window[canary].good != 120) {
			t.Errorf("half a minute later: %d bad and %d good", v.window[canary].bad, v.window[canary].good)
		}
	}
	w := &v.window[canary]
	if w.bad != 0 || w.good != 240 || w.latency[200] != 240 {
		t.Errorf("the last window has %d bad, %d good, %d in the bucket", w.bad, w.good, w.latency[200])
	}
	if v.total[canary] != (analysis.Counts{Bad: 480, Good: 240}) {
		t.Errorf("totals are %+v", v.total[canary])
	}
}
