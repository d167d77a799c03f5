package rollout

import (
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
)

// keepRecording begins to keep what is judged of an attempt, if that is wanted.
func (m *Manager) keepRecording(r *runner) {
	r.recording = nil
	if m.options.Record {
		r.recording = &report.Recording{}
	}
}

// record keeps what is judged now, for a replay.
func (r *runner) record(now time.Time, o *Observation, blocks []analysis.Block) {
	if r.recording == nil || !r.state.Phase.exposing() {
		return
	}
	counts := report.Row{
		Canary: [2]uint64{o.Canary.Requests, o.Canary.Failed}, Stable: [2]uint64{o.Stable.Requests, o.Stable.Failed},
	}
	var latencies report.Row
	for i := range blocks {
		b := &blocks[i]
		draw := report.Draw{Stratum: b.Stratum, Weight: r.evidence.share(b.Stratum)}
		if b.Canary.Good+b.Canary.Bad+b.Stable.Good+b.Stable.Bad > 0 {
			one := draw
			one.Canary = [2]uint64{b.Canary.Bad + b.Canary.Good, b.Canary.Bad}
			one.Stable = [2]uint64{b.Stable.Bad + b.Stable.Good, b.Stable.Bad}
			counts.Draws = append(counts.Draws, one)
		}
		if len(b.CanaryLatency)+len(b.StableLatency) > 0 {
			draw.CanaryLatency, draw.StableLatency = pairs(b.CanaryLatency), pairs(b.StableLatency)
			latencies.Draws = append(latencies.Draws, draw)
		}
	}
	r.recording.Add(now, &counts, &latencies)
}

// share is the probability of the draw of a stratum.
func (e *evidence) share(stratum int) config.Percent {
	if stratum == stratumSegment {
		return e.split.Strength
	}
	return e.split.Weight
}

func pairs(buckets []analysis.Bucket) [][2]uint64 {
	list := make([][2]uint64, 0, len(buckets))
	for _, b := range buckets {
		list = append(list, [2]uint64{uint64(b.Index), b.Count})
	}
	return list
}
