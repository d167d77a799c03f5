package stats

// Bucket is the new requests of one bucket of a histogram.
type Bucket struct {
	// Index is the bucket, as BucketIndex counts them.
	Index int
	// Count is how many latencies fell into it; never zero.
	Count uint64
}

// told is the latencies of a judged lane that a Reader has told already. Like the lane it has an octave only where there
// is something to count.
type told struct {
	octaves [octaves]*[octaveBuckets]uint64
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
	for i := range octaves {
		if !v.octave(slot, i, &now) {
			continue
		}
		before := t.octaves[i]
		if before == nil {
			before = new([octaveBuckets]uint64)
			t.octaves[i] = before
		}
		for j, n := range now {
			if n != before[j] {
				into = append(into, Bucket{Index: i<<octaveBits + j, Count: n - before[j]})
				before[j] = n
			}
		}
	}
	return into
}

// octave adds up one octave of a lane over all shards. It says whether there is any.
func (v *Variant) octave(slot, i int, sum *[octaveBuckets]uint64) bool {
	found := false
	for k := range v.shards {
		s := v.shards[k].Load()
		if s == nil {
			continue
		}
		l := s.lanes[slot].Load()
		if l == nil {
			continue
		}
		o := l.octaves[i].Load()
		if o == nil {
			continue
		}
		if !found {
			found = true
			*sum = [octaveBuckets]uint64{}
		}
		for j := range o {
			sum[j] += o[j].Load()
		}
	}
	return found
}

// skip takes everything that is in a lane for told.
func (v *Variant) skip(slot int, t *told) {
	for i := range octaves {
		var now [octaveBuckets]uint64
		if v.octave(slot, i, &now) {
			t.octaves[i] = &now
		}
	}
}
