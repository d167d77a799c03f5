package analysis

import (
	"math"
	"math/bits"
)

// NumBuckets is the number of buckets of a latency histogram: log-linear, unit one microsecond, 128 buckets for every power
// of two (so a bucket is at most 1/128 wide), up to 2^32-1 microseconds.
const NumBuckets = 26 * octave

// octave is the number of buckets for each power of two.
const octave = 128

// Bucket is the new requests of one latency bucket.
type Bucket struct {
	// Index is the bucket: v for v < 256 microseconds, else s<<7 + v>>s with s = bits.Len64(v)-8.
	Index int
	// Count is how many requests fell into it.
	Count uint64
}

// BucketOf is the bucket of a latency in microseconds.
func BucketOf(micros uint64) int {
	micros = min(micros, math.MaxUint32)
	if micros < 256 {
		return int(micros)
	}
	s := bits.Len64(micros) - 8
	return s<<7 + int(micros>>s)
}

// LowerEdge is the smallest latency, in microseconds, of a bucket. That of NumBuckets is where the last bucket ends.
func LowerEdge(i int) uint64 {
	if i < 256 {
		return uint64(i)
	}
	return uint64(i&127+128) << (i>>7 - 1)
}

func upperEdge(i int) uint64 { return LowerEdge(i + 1) }

// quantileBucket is the first bucket at which the running count reaches the share p of the total.
func quantileBucket(counts []float64, total, p float64) int {
	sum, enough := 0.0, p*total
	for i, c := range counts {
		sum += c
		if sum >= enough {
			return i
		}
	}
	return len(counts) - 1
}

// canaryBucket is where the canary's limit lies when stable's is the upper edge of the given bucket: the first bucket whose
// upper edge allows for the tolerance. Rounding up costs at most one bucket.
func canaryBucket(stable int, relative, micros float64) int {
	return limitBucket((1+relative)*float64(upperEdge(stable))+micros, stable)
}

// limitBucket is the first bucket, not before the given one, whose upper edge is at or above a limit in microseconds.
func limitBucket(limit float64, first int) int {
	if limit > math.MaxUint32 {
		return NumBuckets - 1
	}
	i := max(first, BucketOf(uint64(limit))-1)
	for i < NumBuckets-1 && float64(upperEdge(i)) < limit {
		i++
	}
	return i
}

// latencyCentre is the guess of how often stable exceeds its own limit.
func latencyCentre(exceed, total, p float64) float64 { return (exceed + (1 - p)) / (total + 1) }

// splitAt divides the requests of a block at a limit.
func splitAt(buckets []Bucket, limit int) (bad, good uint64) {
	all := uint64(0)
	for i := range buckets {
		b := &buckets[i]
		all += b.Count
		bad += b.Count & uint64(int64(limit-b.Index)>>63) // no branch: around a median it would be guessed wrong half of the time
	}
	return bad, all - bad
}
