package stats

// Totals is everything a variant has counted, over all lanes.
type Totals struct {
	// Requests is the number of requests that have ended; Failed those of them that failed.
	Requests, Failed uint64
	// InFlight is the number of requests that have begun and not ended.
	InFlight uint64
	// Stalled is the number of requests that Stall was called for. Once such a request ends it is under Requests, too.
	Stalled uint64
	// Outcomes is the number of requests by Outcome (the index).
	Outcomes [outcomeSlots]uint64
	// Codes is the number of requests by status class (the first index: 0 without an answer, 1 to 5 for 1xx to 5xx) and
	// Method (the second).
	Codes [classes][methods]uint64
	// BytesIn and BytesOut are the sizes of request and response bodies.
	BytesIn, BytesOut uint64

	micros uint64 // sum of latencies
}

// Class is the number of requests of a status class: 0 without an answer, 1 to 5 for 1xx to 5xx.
func (t *Totals) Class(class int) uint64 {
	var n uint64
	for _, m := range t.Codes[class] {
		n += m
	}
	return n
}

// Totals sums up all lanes and shards.
func (v *Variant) Totals() Totals {
	var t Totals
	for i := range v.berths {
		t.add(&v.berths[i])
	}
	for o := OutcomeOK; int(o) < outcomeSlots; o++ {
		if o.Failed() {
			t.Failed += t.Outcomes[o]
		}
	}
	// Begun is read after ended, so a request that ran through in between can only make this larger than it was; a request
	// that is counted by End without Begin must not wrap it around.
	if begun := v.begun(); begun > t.Requests {
		t.InFlight = begun - t.Requests
	}
	return t
}

// add adds the cells of one shard.
func (t *Totals) add(b *berth) {
	s := b.shard.Load()
	if s == nil {
		return
	}
	t.BytesIn += s.bytesIn.Load()
	t.Stalled += s.stalled.Load()
	for o := range s.rows {
		for c := range s.rows[o] {
			r := b.rowAt(o, c).Load()
			if r == nil {
				continue
			}
			for m := range r {
				requests, micros, volume := r[m].read()
				t.Requests += requests
				t.Outcomes[o] += requests
				t.Codes[c][m] += requests
				t.BytesOut += volume
				t.micros += micros
			}
		}
	}
}

// begun is the number of requests that have begun.
func (v *Variant) begun() uint64 {
	var n uint64
	for i := range v.berths {
		n += v.berths[i].begun.Load()
	}
	return n
}

// untouched says that no request was ever sent to the variant.
func (v *Variant) untouched() bool {
	for i := range v.berths {
		if v.berths[i].begun.Load() != 0 || v.berths[i].shard.Load() != nil {
			return false
		}
	}
	return v.tunnels.Load() == nil
}

// Histogram is a snapshot of the latencies of all lanes.
func (v *Variant) Histogram() *Histogram {
	h := new(Histogram)
	v.Snapshot(h)
	return h
}

// Snapshot sums up everything, the latencies into an empty histogram.
func (v *Variant) Snapshot(h *Histogram) Totals {
	t := v.Totals()
	v.addLanes(h, 0, lanes)
	h.sum = t.micros
	return t
}

// JudgedHistogram is a snapshot of the latencies that Counts counts as good: those of the judged lane of a stratum and
// of the revision's parity, ever. Subtract an earlier one to see what came since. Its sum is not kept and is the middle
// of each bucket.
func (v *Variant) JudgedHistogram(stratum int, revision uint64) *Histogram {
	h := new(Histogram)
	if slot := Judged(stratum, revision).slot(anyRevision); slot != 0 {
		v.addLanes(h, slot, slot+1)
	}
	for i, n := range h.counts {
		if n > 0 {
			h.sum += n * (BucketLower(i) + BucketUpper(i) - 1) / 2
		}
	}
	return h
}

// addLanes adds the latencies of some lanes, all but their sum.
func (v *Variant) addLanes(into *Histogram, from, to int) {
	var octave [octaveBuckets]uint64
	for slot := from; slot < to; slot++ {
		set := v.laneSet(slot)
		for i := range octaves {
			if !v.octave(slot, i, &set, &octave) {
				continue
			}
			counts := into.counts[i*octaveBuckets : (i+1)*octaveBuckets]
			for j, n := range octave {
				counts[j] += n
				into.count += n
			}
		}
	}
}
