package live

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"haldane/stats"
)

// counted is a counter that a test turns.
type counted struct {
	totals    stats.Totals
	latencies stats.Histogram
}

func (c *counted) Totals() stats.Totals { return c.totals }

func (c *counted) Snapshot(into *stats.Histogram) stats.Totals {
	*into = c.latencies
	return c.totals
}

// serve counts requests of one latency.
func (c *counted) serve(n int, failed uint64, latency time.Duration) {
	c.totals.Requests += uint64(n)
	c.totals.Failed += failed
	for range n {
		c.latencies.Observe(latency)
	}
}

func at(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }

// A track says what came between two looks, per second, and forgets the oldest.
func TestTrack(t *testing.T) {
	stable, canary := &counted{}, &counted{}
	stable.serve(1000, 10, time.Second) // before anybody looked
	track := NewTrack(stable, canary)
	if _, ok := track.Look(at(0), 0.1); ok {
		t.Error("the first look has a row")
	}
	stable.serve(100, 5, 10*time.Millisecond)
	canary.serve(10, 1, 20*time.Millisecond)
	row, ok := track.Look(at(2), 0.1)
	if !ok || row.Stable.Requests != 50 || row.Stable.Failed != 2.5 || row.Canary.Requests != 5 || row.Canary.Failed != 0.5 {
		t.Errorf("%+v, %v", row, ok)
	}
	if p := row.Stable.P99; p < 10_000 || p > 10_100 {
		t.Errorf("p99 of stable is %d us: what came before counts", p)
	}
	if got, want := string(row.Append(nil)), fmt.Sprintf("[%d,0.1,50,2.5,", at(2).Unix()); !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s...", got, want)
	}
	for i := range Rows + 5 {
		track.Look(at(3+i), 0.5)
	}
	n, last := 0, int64(0)
	for row := range track.All {
		if n > 0 && row.At != last+1 {
			t.Fatalf("row %d is at %d after %d", n, row.At, last)
		}
		n, last = n+1, row.At
	}
	if n != Rows || last != at(2+Rows+5).Unix() {
		t.Errorf("%d rows up to %d", n, last)
	}
	if text := string(track.Append(nil)); strings.Count(text, "[") != Rows+1 {
		t.Errorf("%d brackets", strings.Count(text, "["))
	}
}

// Quantiles are those of the latest one to two windows: a slow time is forgotten after that, and one second of silence is not a gap.
func TestWindows(t *testing.T) {
	c := &counted{}
	track := NewTrack(c, nil)
	track.Look(at(0), 0)
	c.serve(100, 0, time.Second)
	for i := 1; i <= 3*windowTicks; i++ {
		row, _ := track.Look(at(i), 0)
		slow := row.Stable.P99 > 900_000
		if i < windowTicks && !slow || i > 2*windowTicks && slow {
			t.Errorf("second %d: p99 %d us", i, row.Stable.P99)
		}
		if i%2 == 0 {
			c.serve(100, 0, time.Millisecond)
		}
		if i > 1 && row.Stable.P50 == 0 {
			t.Errorf("second %d: no latency", i)
		}
	}
}

// Counters that begin anew are not what was done in a second.
func TestCountersThatFall(t *testing.T) {
	c := &counted{}
	c.serve(500, 5, time.Millisecond)
	track := NewTrack(c, nil)
	track.Look(at(0), 0)
	*c = counted{}
	c.serve(7, 0, time.Millisecond)
	if row, _ := track.Look(at(1), 0); row.Stable != (Rates{}) {
		t.Errorf("%+v", row)
	}
	c.serve(3, 0, time.Millisecond)
	if row, _ := track.Look(at(2), 0); row.Stable.Requests != 3 {
		t.Errorf("%+v", row)
	}
	other := &counted{}
	other.serve(1e6, 0, time.Millisecond)
	track.Follow(other, nil, KeepStable)
	if row, _ := track.Look(at(3), 0); row.Stable.Requests != 0 {
		t.Errorf("%+v", row)
	}
}

// What was measured of a variant is not shown as another one's.
func TestOtherVariants(t *testing.T) {
	stable, canary := &counted{}, &counted{}
	track := NewTrack(stable, canary)
	rows := func() (got []Row) {
		for row := range track.All {
			got = append(got, *row)
		}
		return got
	}
	for i := range 4 {
		stable.serve(10, 0, time.Millisecond)
		canary.serve(5, 1, time.Millisecond)
		track.Look(at(i), 0.5)
	}
	if got := rows(); len(got) != 3 || got[2].Canary.Requests != 5 || got[2].Weight != 0.5 {
		t.Errorf("before: %+v", got)
	}
	track.Follow(stable, &counted{}, KeepStable)
	if got := rows(); len(got) != 3 || got[2].Stable.Requests != 10 || got[2].Canary != (Rates{}) || got[2].Weight != 0 {
		t.Errorf("stable: %+v", got)
	}
	track.Follow(&counted{}, &counted{}, KeepNone)
	if got := rows(); len(got) != 0 {
		t.Errorf("none: %+v", got)
	}
}

// A spark has the latest minute, begins with what a track has, and says when there is nothing to say.
func TestSpark(t *testing.T) {
	c := &counted{}
	track := NewTrack(c, nil)
	for i := range 10 {
		track.Look(at(i), 0)
		c.serve(i, 0, time.Millisecond)
	}
	spark := NewSpark(c, nil)
	spark.Fill(track)
	if got := string(spark.Append(nil)); got != "[[0,0,0,0],[1,0,0,0],[2,0,0,0],[3,0,0,0],[4,0,0,0],[5,0,0,0],[6,0,0,0],[7,0,0,0],[8,0,0,0]]" {
		t.Error(got)
	}
	if !spark.Look(at(10)) || !spark.Look(at(11)) {
		t.Error("silence is not quiet")
	}
	c.serve(4, 2, time.Millisecond)
	if spark.Look(at(12)) || string(spark.AppendLast(nil)) != "4,2,0,0" {
		t.Error(string(spark.AppendLast(nil)))
	}
	for i := range 2 * Sparks {
		spark.Look(at(20 + i))
	}
	if got := strings.Count(string(spark.Append(nil)), "["); got != Sparks+1 {
		t.Errorf("%d brackets", got)
	}
}
