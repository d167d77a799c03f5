package live

import (
	"math"
	"strconv"
	"time"
)

// Rows is how many seconds of a service are remembered: ten minutes.
const Rows = 600

// Row is one second of a service.
type Row struct {
	// At is when it ended, in Unix seconds.
	At int64
	// Weight is the canary's share of randomised traffic at its end, from 0 to 1.
	Weight float64
	// Stable and Canary are the two variants.
	Stable, Canary Rates
}

// Append writes the row as an array of JSON: second, weight, and of stable and canary each requests and failures a second, p50 and p99 in
// microseconds.
func (r *Row) Append(text []byte) []byte {
	text = append(text, '[')
	text = strconv.AppendInt(text, r.At, 10)
	text = append(text, ',')
	text = strconv.AppendFloat(text, math.Round(r.Weight*1e6)/1e6, 'g', -1, 64)
	for _, side := range [...]*Rates{&r.Stable, &r.Canary} {
		text = append(text, ',')
		text = side.appendCounts(text)
		text = append(text, ',')
		text = strconv.AppendUint(text, side.P50, 10)
		text = append(text, ',')
		text = strconv.AppendUint(text, side.P99, 10)
	}
	return append(text, ']')
}

func (r *Rates) appendCounts(text []byte) []byte {
	text = appendTenth(text, r.Requests)
	text = append(text, ',')
	return appendTenth(text, r.Failed)
}

// appendTenth writes a rate with one decimal: nobody sees more of it.
func appendTenth(text []byte, rate float64) []byte {
	return strconv.AppendFloat(text, math.Round(rate*10)/10, 'g', -1, 64)
}

// Keep is what a track keeps of what it has measured when it goes on with other counters.
type Keep int

// What is kept.
const (
	// KeepNone forgets all rows: stable is another variant.
	KeepNone Keep = iota
	// KeepStable forgets what was measured of the canary: that is another variant, and stable is not.
	KeepStable
)

// Track is the latest seconds of a service with two variants.
type Track struct {
	stable, canary *gauge
	rows           []Row
	next           int // where the next row goes, once the track is full
}

// NewTrack begins to measure a service. Either counter may be nil.
func NewTrack(stable, canary Counter) *Track {
	return &Track{stable: newGauge(stable), canary: newGauge(canary)}
}

// Follow goes on with other counters, and keeps what was measured as far as it is of the same variants.
func (t *Track) Follow(stable, canary Counter, keep Keep) {
	t.stable, t.canary = newGauge(stable), newGauge(canary)
	switch keep {
	case KeepNone:
		t.rows, t.next = nil, 0
	case KeepStable:
		for i := range t.rows {
			t.rows[i].Weight, t.rows[i].Canary = 0, Rates{}
		}
	}
}

// Look measures the time since the last look. The first look is no row: there is nothing to compare with.
func (t *Track) Look(now time.Time, weight float64) (Row, bool) {
	first := t.stable.at.IsZero() && t.canary.at.IsZero()
	row := Row{At: now.Unix(), Weight: weight, Stable: t.stable.look(now), Canary: t.canary.look(now)}
	if first {
		return Row{}, false
	}
	if len(t.rows) < Rows {
		t.rows = append(t.rows, row)
	} else {
		t.rows[t.next] = row
		t.next = (t.next + 1) % Rows
	}
	return row, true
}

// All are the rows that are remembered, the earliest first.
func (t *Track) All(yield func(*Row) bool) {
	for i := range t.rows {
		if !yield(&t.rows[(t.next+i)%len(t.rows)]) {
			return
		}
	}
}

// Append writes the rows as an array of JSON.
func (t *Track) Append(text []byte) []byte {
	text = append(text, '[')
	begin := len(text)
	for row := range t.All {
		if len(text) > begin {
			text = append(text, ',')
		}
		text = row.Append(text)
	}
	return append(text, ']')
}
