package rollout

import (
	"math"

	"haldane/analysis"
)

// The world's requests take 4 to 6 ms, evenly spread, or 65 ms.
const (
	quickMicros, quickStep, quickSteps = 4_000, 100, 20

	slowMicros = 65_000
)

// slowness is how many of a variant's good requests are slow, evenly spread too.
type slowness struct {
	share, debt float64
	next        int // step of the next quick request
}

// time gives the good requests of a block their latencies.
func (l *load) time(b *analysis.Block) {
	b.CanaryLatency = l.slow[0].buckets(b.Canary.Good)
	b.StableLatency = l.slow[1].buckets(b.Stable.Good)
}

func (s *slowness) buckets(n uint64) []analysis.Bucket {
	if n == 0 {
		return nil
	}
	s.debt += float64(n) * s.share
	slow := min(n, uint64(math.Floor(s.debt+1e-9)))
	s.debt -= float64(slow)
	list := []analysis.Bucket{{Index: analysis.BucketOf(slowMicros), Count: slow}}
	for range n - slow {
		list = append(list, analysis.Bucket{Index: analysis.BucketOf(uint64(quickMicros + quickStep*s.next)), Count: 1})
		s.next = (s.next + 1) % quickSteps
	}
	return list
}
