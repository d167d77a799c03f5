package report

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// However long a rollout lasts, its recording is bounded, and nothing of it is lost but the time.
func TestRecordingIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var recording Recording
	var want Row
	latencies, size := uint64(0), 0
	now := moment(0)
	for range 24 * 60 * 60 {
		now = now.Add(time.Second)
		if r.IntN(10) == 0 {
			continue // silence
		}
		one := Row{Canary: [2]uint64{3, 1}, Stable: [2]uint64{30, 0}, Draws: []Draw{{Stratum: 1, Weight: onePercent, Canary: [2]uint64{2, 1}, Stable: [2]uint64{20, 0}}}}
		slow := Row{Draws: []Draw{{Stratum: 1, Weight: onePercent, CanaryLatency: [][2]uint64{{uint64(r.IntN(2000)), 1}, {uint64(r.IntN(2000)), 2}}}}}
		recording.Add(now, &one, &slow)
		want.merge(&one)
		latencies += 3
	}
	var got Row
	for i := range recording.Counts.Rows {
		got.merge(&recording.Counts.Rows[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var counted uint64
	for i := range recording.Latencies.Rows {
		for _, b := range recording.Latencies.Rows[i].Draws[0].CanaryLatency {
			counted += b[1]
		}
	}
	text, err := json.Marshal(&recording)
	size = len(text)
	if err != nil || counted != latencies || len(recording.Counts.Rows) > recordedRows || recording.Latencies.buckets() > recordedBuckets || size > 400_000 {
		t.Errorf("%d latencies of %d, %d rows, %d bytes, error %v", counted, latencies, len(recording.Counts.Rows), size, err)
	}
	if recording.Counts.Slot != config.Duration(128*time.Second) || recording.Lasts() < 24*time.Hour-time.Minute || recording.Lasts() > 24*time.Hour+3*time.Minute {
		t.Errorf("slots of %s, %s in all", recording.Counts.Slot, recording.Lasts())
	}
	t.Logf("%d bytes, slots of %s and %s", size, recording.Counts.Slot, recording.Latencies.Slot)
}

// What was drawn with different weights is kept apart, and a clock that is set back does no harm.
func TestRecordingKeepsWeightsApart(t *testing.T) {
	var recording Recording
	row := func(w config.Percent) *Row {
		return &Row{Draws: []Draw{{Stratum: 1, Weight: w, Canary: [2]uint64{1, 0}}}}
	}
	recording.Add(moment(0), row(onePercent), nil)
	recording.Add(moment(0), row(2*onePercent), nil)
	recording.Add(moment(-60), row(onePercent), nil)
	want := []Row{{Draws: []Draw{{Stratum: 1, Weight: onePercent, Canary: [2]uint64{2, 0}}, {Stratum: 1, Weight: 2 * onePercent, Canary: [2]uint64{1, 0}}}}}
	if diff := cmp.Diff(want, recording.Counts.Rows); diff != "" || recording.Lasts() != time.Second {
		t.Error(diff)
	}
	if (&Recording{}).Lasts() != 0 {
		t.Error("nothing lasts")
	}
}
