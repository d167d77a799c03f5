package report

import (
	"slices"
	"time"

	"haldane/config"
)

// The bounds of a recording.
const (
	// recordedRows is how many slots of time the counts of a rollout are kept in; recordedSpells the same for its latencies.
	recordedRows   = 1024
	recordedSpells = 128
	// recordedBuckets is how many buckets of latencies are kept in all.
	recordedBuckets = 16_000
	// firstSlot is how long a slot is at first.
	firstSlot = time.Second
)

// Recording is what was judged of a rollout over time, so that it can be judged again. It is bounded: when it is full, each two slots of
// time become one of twice the length, so a rollout of up to 17 minutes is kept by the second, and one of a day in slots of two
// minutes.
type Recording struct {
	// Began is when it begins. That is later than the rollout when the process was restarted in between.
	Began time.Time `json:"began"`
	// Counts are requests, Latencies the latencies of those that were judged and did not fail.
	Counts    Track `json:"counts"`
	Latencies Track `json:"latencies"`
}

// Track is a series of slots of time.
type Track struct {
	// Slot is the length of one.
	Slot config.Duration `json:"slot"`
	// Rows are the slots in which something was seen, the earliest first.
	Rows []Row `json:"rows"`
}

// Row is one slot.
type Row struct {
	// Slot is its number, from 0.
	Slot int `json:"t"`
	// Canary and Stable are all requests of the two variants, and how many of them failed.
	Canary [2]uint64 `json:"c,omitzero"`
	Stable [2]uint64 `json:"s,omitzero"`
	// Draws are the judged ones, by how they were drawn.
	Draws []Draw `json:"d,omitempty"`
}

// Draw is requests that were drawn with one probability.
type Draw struct {
	// Stratum tells the split (1) from a segment (2), Weight is the probability of the canary.
	Stratum int            `json:"n"`
	Weight  config.Percent `json:"w"`
	// Canary and Stable are the judged requests of the two variants, and how many of them failed.
	Canary [2]uint64 `json:"c,omitzero"`
	Stable [2]uint64 `json:"s,omitzero"`
	// CanaryLatency and StableLatency are buckets of latencies and how many requests fell into each, by bucket.
	CanaryLatency [][2]uint64 `json:"cl,omitempty"`
	StableLatency [][2]uint64 `json:"sl,omitempty"`
}

// Add books what was seen up to a moment. counts and latencies are two rows, whose slots are filled in; what they hold is copied.
func (r *Recording) Add(now time.Time, counts, latencies *Row) {
	if r.Began.IsZero() {
		r.Began = now
		r.Counts.Slot, r.Latencies.Slot = config.Duration(firstSlot), config.Duration(firstSlot)
	}
	elapsed := max(0, now.Sub(r.Began))
	r.Counts.add(elapsed, counts)
	r.Latencies.add(elapsed, latencies)
	for len(r.Counts.Rows) > recordedRows {
		r.Counts.halve()
	}
	for len(r.Latencies.Rows) > recordedSpells || len(r.Latencies.Rows) > 1 && r.Latencies.buckets() > recordedBuckets {
		r.Latencies.halve()
	}
}

// Lasts is the time that was recorded.
func (r *Recording) Lasts() time.Duration {
	if len(r.Counts.Rows) == 0 {
		return 0
	}
	return time.Duration(r.Counts.Rows[len(r.Counts.Rows)-1].Slot+1) * time.Duration(r.Counts.Slot)
}

func (t *Track) add(elapsed time.Duration, row *Row) {
	if row == nil || len(row.Draws) == 0 && row.Canary == [2]uint64{} && row.Stable == [2]uint64{} {
		return
	}
	slot := int(elapsed / time.Duration(t.Slot))
	n := len(t.Rows)
	if n == 0 || t.Rows[n-1].Slot < slot { // a clock that was set back stays in the last slot
		t.Rows = append(t.Rows, Row{Slot: slot})
		n++
	}
	t.Rows[n-1].merge(row)
}

// buckets counts what is kept of latencies.
func (t *Track) buckets() int {
	n := 0
	for i := range t.Rows {
		for k := range t.Rows[i].Draws {
			n += len(t.Rows[i].Draws[k].CanaryLatency) + len(t.Rows[i].Draws[k].StableLatency)
		}
	}
	return n
}

// halve makes one slot of each two.
func (t *Track) halve() {
	t.Slot *= 2
	kept := t.Rows[:0]
	for _, row := range t.Rows {
		row.Slot /= 2
		if n := len(kept); n > 0 && kept[n-1].Slot == row.Slot {
			kept[n-1].merge(&row)
			continue
		}
		kept = append(kept, row)
	}
	clear(t.Rows[len(kept):])
	t.Rows = kept
}

// merge adds what another row holds.
func (r *Row) merge(from *Row) {
	sum(&r.Canary, from.Canary)
	sum(&r.Stable, from.Stable)
	for i := range from.Draws {
		d := &from.Draws[i]
		at := slices.IndexFunc(r.Draws, func(known Draw) bool { return known.Stratum == d.Stratum && known.Weight == d.Weight })
		if at < 0 {
			r.Draws = append(r.Draws, Draw{Stratum: d.Stratum, Weight: d.Weight})
			at = len(r.Draws) - 1
		}
		into := &r.Draws[at]
		sum(&into.Canary, d.Canary)
		sum(&into.Stable, d.Stable)
		into.CanaryLatency = mergeBuckets(into.CanaryLatency, d.CanaryLatency)
		into.StableLatency = mergeBuckets(into.StableLatency, d.StableLatency)
	}
}

func sum(into *[2]uint64, more [2]uint64) {
	into[0] += more[0]
	into[1] += more[1]
}

// mergeBuckets adds buckets. The sum is in order; more need not be.
func mergeBuckets(into, more [][2]uint64) [][2]uint64 {
	for _, b := range more {
		at, found := slices.BinarySearchFunc(into, b, func(x, y [2]uint64) int { return int(x[0]) - int(y[0]) })
		if found {
			into[at][1] += b[1]
		} else {
			into = slices.Insert(into, at, b)
		}
	}
	return into
}
