package stats

// Bucket is the new requests of one bucket of a histogram.
type Bucket struct {
	// Index is the bucket, as BucketIndex counts them.
	Index int
	// Count is how many latencies fell into it; never zero.
	Count uint64
}

// told is the latencies of a judged lane that a Reader has told already. Like the lane it has an octave only where there
// is something to count. Of each number the lower half is enough to tell by how much it has grown.
type told struct {
	octaves [octaves]*[octaveBuckets]uint32
}

// Latency is the latencies that came in a stratum (1 to Strata) since the last Latency of that stratum, of judged requests that
// did not fail. They are appended to the caller's buffers, in the order of the buckets; with enough room in them nothing is
// allocated. Nothing is told twice and nothing is lost between two calls. It takes no part in Delta: either may be called
// more often than the other, and a success may be in the one and not yet in the other.
func (r *Reader) Latency(stratum int, canary, stable []Bucket) (newCanary, newStable []Bucket) {
	if stratum < 1 || stratum > Strata {
		return canary, stable
	}
	slot := Judged(stratum, r.revision).slot(anyRevision)
	t := &r.told[stratum-1]
	return r.canary.latencies(slot, &t.canary, canary), r.stable.latencies(slot, &t.stable, stable)
}

// latencies appends what is not told yet, and takes note of it. An octave that nobody wrote to costs a look at a pointer.
func (v *Variant) latencies(slot int, t *told, into []Bucket) []Bucket {
	var now [octaveBuckets]uint64
	set := v.laneSet(slot)
	for i := range octaves {
		if !v.octave(slot, i, &set, &now) {
			continue
		}
		before := t.octaves[i]
		if before == nil {
			before = new([octaveBuckets]uint32)
			t.octaves[i] = before
		}
		for j, n := range now {
			if grown := uint32(n) - before[j]; grown != 0 {
				into = append(into, Bucket{Index: i<<octaveBits + j, Count: uint64(grown)})
				before[j] += grown
			}
		}
	}
	return into
}

// skip takes everything that is in a lane for told.
func (v *Variant) skip(slot int, t *told) {
	var now [octaveBuckets]uint64
	set := v.laneSet(slot)
	for i := range octaves {
		if v.octave(slot, i, &set, &now) {
			t.octaves[i] = new([octaveBuckets]uint32)
			for j, n := range now {
				t.octaves[i][j] = uint32(n)
			}
		}
	}
}
