package stats

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// A latency is shown twice in one metric: in the classic buckets that the HTTP semantic conventions of OpenTelemetry
// name, and in a Prometheus native histogram of schema 3, whose buckets grow by 2^(1/8). Neither has an edge where ours
// have theirs; one of our buckets is counted as a whole where its middle lies, which moves an edge by 0.4 % at most.
const (
	nativeSchema = 3
	// nativeFirst is the native bucket of the shortest latency (half a microsecond), and nativeLast that of the longest.
	nativeFirst, nativeLast = -167, 97
	// nativeGap is the longest run of empty buckets that is written out rather than skipped with a new span.
	nativeGap = 2
	// zeroThreshold is up to where a latency would be none: what the Prometheus library has for it, 2^-128.
	zeroThreshold = 0x1p-128
)

// classicBuckets is how many classic buckets there are, but for that without an upper bound.
const classicBuckets = 14

// classicBounds are the upper edges of the classic buckets in seconds, but for infinity.
func classicBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
}

// layout maps our buckets to those of Prometheus. It is computed once.
type layout struct {
	bounds  []float64
	classic [Buckets]uint8 // index of the first bound that is not below; len(bounds) is infinity
	native  [Buckets]int16 // native bucket less nativeFirst

	// What all native histograms have in common, for what can only point at it.
	schema        int32
	zeroThreshold float64
	zeroCount     uint64
}

func newLayout() layout {
	l := layout{bounds: classicBounds(), schema: nativeSchema, zeroThreshold: zeroThreshold}
	bound := 0
	for i := range Buckets {
		middle := bucketMiddle(i) / 1e6
		for bound < len(l.bounds) && l.bounds[bound] < middle {
			bound++
		}
		l.classic[i] = uint8(bound)
		l.native[i] = int16(math.Ceil(math.Log2(middle)*(1<<nativeSchema))) - nativeFirst
	}
	return l
}

// bucketMiddle is the middle of a bucket in microseconds. Recorded times are rounded down, so the true ones go up to the
// upper edge.
func bucketMiddle(index int) float64 {
	return float64(BucketLower(index)+BucketUpper(index)) / 2
}

// histogram emits a series of a histogram.
func (s *scrape) histogram(f family, h *Histogram, e *examples, labels ...string) {
	if h.count == 0 && s.quiet {
		return
	}
	value := s.layout.render(h)
	e.exemplify(value)
	s.emit(f, labels).histogram = value
}

// rendered is a histogram in the form of Prometheus, in one piece: there may be very many.
type rendered struct {
	histogram dto.Histogram
	count     uint64
	sum       float64
	buckets   [classicBuckets]dto.Bucket
	sums      [classicBuckets]uint64
	shown     [classicBuckets + 1]*dto.Bucket // with room for the one without an upper bound
}

// render turns a snapshot into the form of Prometheus.
func (l *layout) render(h *Histogram) *dto.Histogram {
	var classic [classicBuckets + 1]uint64
	var native [nativeLast - nativeFirst + 1]uint64
	for i, n := range h.counts {
		if n > 0 {
			classic[l.classic[i]] += n
			native[l.native[i]] += n
		}
	}
	r := &rendered{count: h.count, sum: float64(h.sum) / 1e6}
	out := &r.histogram
	out.SampleCount, out.SampleSum = &r.count, &r.sum
	out.Schema, out.ZeroThreshold, out.ZeroCount = &l.schema, &l.zeroThreshold, &l.zeroCount
	var sum uint64
	for i := range l.bounds {
		sum += classic[i]
		r.sums[i] = sum
		r.buckets[i].CumulativeCount, r.buckets[i].UpperBound = &r.sums[i], &l.bounds[i]
		r.shown[i] = &r.buckets[i]
	}
	out.Bucket = r.shown[:classicBuckets]
	out.PositiveSpan, out.PositiveDelta = spans(native[:])
	return out
}

// spans writes native buckets as runs of differences, which is what the exposition format wants.
func spans(native []uint64) (spans []*dto.BucketSpan, deltas []int64) {
	last := -1 // the last bucket written, as an index of native
	var before uint64
	write := func(n uint64) {
		deltas = append(deltas, int64(n)-int64(before))
		before = n
		*spans[len(spans)-1].Length++
	}
	for i, n := range native {
		if n == 0 {
			continue
		}
		switch {
		case last < 0:
			spans = append(spans, &dto.BucketSpan{Offset: new(int32(i + nativeFirst)), Length: new(uint32(0))})
		case i-last-1 > nativeGap:
			spans = append(spans, &dto.BucketSpan{Offset: new(int32(i - last - 1)), Length: new(uint32(0))})
		default:
			for range i - last - 1 {
				write(0)
			}
		}
		write(n)
		last = i
	}
	if spans == nil {
		// An empty span tells an empty native histogram from a classic one.
		spans = []*dto.BucketSpan{{Offset: new(int32(0)), Length: new(uint32(0))}}
	}
	return spans, deltas
}
