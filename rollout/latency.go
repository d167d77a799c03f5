package rollout

import (
	"slices"
	"time"

	"haldane/analysis"
	"haldane/stats"
)

// latencyEvery is how often latencies are handed to the judge: once in each such part of the clock. They are many numbers, and
// say little in less time.
const latencyEvery = time.Second

// latency hands over the latencies of judged requests. Its buffers are used again at each look: the judge keeps none of them.
type latency struct {
	behind bool      // whether there may be latencies that the judge was not told
	handed time.Time // when it was told last
	canary [stats.Strata][]analysis.Bucket
	stable [stats.Strata][]analysis.Bucket
	// The two sides as they are read.
	readCanary, readStable []stats.Bucket
}

// due says whether latencies are to be handed over now. dirty says whether requests have ended since the last call: those
// that come just before a silence are due in it.
func (l *latency) due(now time.Time, dirty bool) bool {
	l.behind = l.behind || dirty
	if !l.behind || !turned(l.handed, now, latencyEvery) {
		return false
	}
	l.behind, l.handed = false, now
	return true
}

// turned says whether another part of the clock has begun between two moments. Parts of the clock, unlike time since something,
// are the same for a process that was started in their midst.
func turned(before, now time.Time, every time.Duration) bool {
	return !before.Truncate(every).Equal(now.Truncate(every))
}

// hurry makes what is behind due.
func (l *latency) hurry() { l.handed = time.Time{} }

// fill puts the new latencies into the blocks.
func (l *latency) fill(reader *stats.Reader, blocks []analysis.Block) {
	for i := range blocks {
		b := &blocks[i]
		l.readCanary, l.readStable = reader.Latency(b.Stratum, l.readCanary[:0], l.readStable[:0])
		b.CanaryLatency = copied(&l.canary[b.Stratum-1], l.readCanary)
		b.StableLatency = copied(&l.stable[b.Stratum-1], l.readStable)
	}
}

// copied are buckets as the judge reads them, in a buffer that is kept.
func copied(buffer *[]analysis.Bucket, buckets []stats.Bucket) []analysis.Bucket {
	*buffer = (*buffer)[:0]
	for _, b := range buckets {
		*buffer = append(*buffer, analysis.Bucket(b))
	}
	return *buffer
}

// judgesLatency says whether some check is about latency.
func judgesLatency(s *analysis.Settings) bool {
	return slices.ContainsFunc(s.Checks, func(c analysis.Check) bool { return c.Quantile > 0 })
}
