package stats

import (
	"math"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Example is a request that stands for those of its latency: an exemplar of OpenMetrics.
type Example struct {
	// Trace is the id of its trace.
	Trace string
	// Latency is the time to its first byte, Time when it was booked.
	Latency time.Duration
	Time    time.Time
}

// examples are the latest ones of each classic bucket, the one without an upper bound included.
type examples [classicBuckets + 1]atomic.Pointer[Example]

// Exemplify keeps an example of the latencies of a variant. It is for requests that are traced, which are few: it allocates. An
// outcome without an answer has no latency, and so no example.
func (v *Variant) Exemplify(outcome Outcome, e Example) {
	if outcome.unanswered() {
		return
	}
	kept := v.examples.Load()
	if kept == nil {
		v.examples.CompareAndSwap(nil, new(examples))
		kept = v.examples.Load()
	}
	kept[classicBucket(e.Latency)].Store(&e)
}

// classicBucket is the index of the classic bucket that a latency is counted in: that of the middle of our own bucket.
func classicBucket(latency time.Duration) int {
	middle := bucketMiddle(BucketIndex(microseconds(latency))) / 1e6
	bounds := classicBounds()
	for i, bound := range bounds {
		if middle <= bound {
			return i
		}
	}
	return len(bounds)
}

// exemplify adds the examples to the form of Prometheus: to the classic buckets, and to the native histogram as a whole.
func (e *examples) exemplify(out *dto.Histogram) {
	if e == nil {
		return
	}
	for i := range e {
		known := e[i].Load()
		if known == nil {
			continue
		}
		shown := &dto.Exemplar{
			Label:     []*dto.LabelPair{{Name: new("trace_id"), Value: new(known.Trace)}},
			Value:     new(known.Latency.Seconds()),
			Timestamp: timestamppb.New(known.Time),
		}
		if i == len(out.Bucket) { // the bucket without an upper bound is left out otherwise
			out.Bucket = append(out.Bucket, &dto.Bucket{CumulativeCount: out.SampleCount, UpperBound: new(math.Inf(1))})
		}
		out.Bucket[i].Exemplar = shown
		out.Exemplars = append(out.Exemplars, shown)
	}
}
