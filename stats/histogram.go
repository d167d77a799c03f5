package stats

import (
	"math"
	"math/bits"
	"time"
)

// The histogram is log-linear: every power of two of microseconds is divided into 128 buckets of equal width, so a bucket is
// at most 1/128 of its lower edge wide, and any quantile is right to 0.8 %. Below 256 us each microsecond has its own bucket.
// It is the layout of HdrHistogram (G. Tene) with two significant digits, cut at 2^32 us (71 minutes).
const (
	// Buckets is the number of buckets of a Histogram.
	Buckets = 26 * octaveBuckets

	octaveBuckets = 128 // buckets per power of two
	octaveBits    = 7
	octaves       = Buckets / octaveBuckets
	maxMicros     = 1<<32 - 1 // longer times are counted in the last bucket
)

// BucketIndex is the bucket of a time in microseconds.
func BucketIndex(micros uint64) int { return bucketIndex(uint32(min(micros, maxMicros))) }

func bucketIndex(micros uint32) int {
	// Below two octaves there is nothing to shift: the bit that is set here is the highest then.
	s := uint(bits.Len32(micros|octaveBuckets)) - octaveBits - 1
	return int(s<<octaveBits + uint(micros>>s))
}

// BucketLower is the smallest time in microseconds that falls into a bucket.
func BucketLower(index int) uint64 {
	if index < 2*octaveBuckets {
		return uint64(index)
	}
	return uint64(index&(octaveBuckets-1)+octaveBuckets) << (uint(index>>octaveBits) - 1)
}

// BucketUpper is the smallest time in microseconds that is beyond a bucket.
func BucketUpper(index int) uint64 { return BucketLower(index + 1) }

// microseconds is a duration in whole microseconds, rounded down; a negative one (a clock that jumped) is zero.
func microseconds(d time.Duration) uint64 {
	if d < 0 {
		return 0
	}
	return uint64(d / time.Microsecond)
}

// Histogram is a snapshot of latencies: plain numbers, to be merged, subtracted and asked for quantiles. The zero value is
// empty. It is not for concurrent use. It is 26 KiB large: reuse it where many are looked at.
type Histogram struct {
	counts [Buckets]uint64
	count  uint64
	sum    uint64 // microseconds, exact: kept apart from the buckets
}

// Observe counts one latency.
func (h *Histogram) Observe(d time.Duration) {
	micros := microseconds(d)
	h.counts[BucketIndex(micros)]++
	h.count++
	h.sum += micros
}

// Merge adds the counts of another histogram.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.count += other.count
	h.sum += other.sum
}

// Subtract takes away the counts of an earlier snapshot of the same cells; what is left came since.
func (h *Histogram) Subtract(earlier *Histogram) {
	for i, n := range earlier.counts {
		h.counts[i] -= n
	}
	h.count -= earlier.count
	h.sum -= earlier.sum
}

// Reset empties the histogram.
func (h *Histogram) Reset() { *h = Histogram{} }

// Count is the number of latencies counted.
func (h *Histogram) Count() uint64 { return h.count }

// Sum is the sum of all latencies in microseconds. It is exact up to the rounding of each to whole microseconds, and not
// limited by the last bucket.
func (h *Histogram) Sum() uint64 { return h.sum }

// Bucket is the count of one bucket.
func (h *Histogram) Bucket(index int) uint64 { return h.counts[index] }

// QuantileBucket is the first bucket at which at least the share p (0 to 1) of all latencies has been counted. ok is false
// when the histogram is empty.
func (h *Histogram) QuantileBucket(p float64) (index int, ok bool) {
	if h.count == 0 {
		return 0, false
	}
	want := math.Max(p*float64(h.count), math.SmallestNonzeroFloat64) // so that p = 0 is the smallest latency
	var seen uint64
	for i, n := range h.counts {
		seen += n
		if n > 0 && float64(seen) >= want {
			return i, true
		}
	}
	return Buckets - 1, true // p above 1
}

// Quantile is a time that at least the share p (0 to 1) of all latencies stayed below; it is at most 1/128, and at least
// nothing, above the true quantile (below 256 us: at most 1 us above). Zero when the histogram is empty.
func (h *Histogram) Quantile(p float64) time.Duration {
	index, ok := h.QuantileBucket(p)
	if !ok {
		return 0
	}
	return time.Duration(BucketUpper(index)) * time.Microsecond
}
