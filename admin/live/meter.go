package live

import (
	"time"

	"haldane/stats"
)

// windowTicks is after how many looks the latencies of a window begin anew: quantiles are those of the latest one to two windows. Those of a
// single second would be noise with a few requests a second.
const windowTicks = 5

// Counter is what a variant has counted, ever. *stats.Variant is one.
type Counter interface {
	// Totals sums up everything but the latencies.
	Totals() stats.Totals
	// Snapshot sums up everything, the latencies into an empty histogram.
	Snapshot(into *stats.Histogram) stats.Totals
}

// Rates are those of one variant.
type Rates struct {
	// Requests and Failed are requests a second that ended, and that failed.
	Requests, Failed float64
	// P50 and P99 are quantiles of latency in microseconds; zero where there were no requests, or where they are not measured.
	P50, P99 uint64
}

// Meter is what one variant did between looks at its counters. The zero value, with a counter, begins at its first look.
type Meter struct {
	counter Counter
	at      time.Time // of the last look; zero for none
	last    stats.Totals
}

// NewMeter begins to look at a counter; nil counts nothing.
func NewMeter(counter Counter) Meter { return Meter{counter: counter} }

// Look is what was done since the last look. The first one says nothing.
func (m *Meter) Look(now time.Time) Rates {
	if m.counter == nil {
		return Rates{}
	}
	return m.since(now, m.counter.Totals())
}

// since is the difference to the last look. Counters that have fallen are of another variant of the same name, which has just begun.
func (m *Meter) since(now time.Time, totals stats.Totals) Rates {
	before, elapsed := m.last, now.Sub(m.at).Seconds()
	first := m.at.IsZero()
	m.last, m.at = totals, now
	if first || elapsed <= 0 || totals.Requests < before.Requests || totals.Failed < before.Failed {
		return Rates{}
	}
	return Rates{
		Requests: float64(totals.Requests-before.Requests) / elapsed,
		Failed:   float64(totals.Failed-before.Failed) / elapsed,
	}
}

// gauge is a meter that measures latencies as well.
type gauge struct {
	Meter
	older, newer *stats.Histogram // snapshots from which windows are counted, the older one ahead
	fresh        *stats.Histogram // room for the present one
	ticks        int              // looks since the newer one
}

func newGauge(counter Counter) *gauge {
	return &gauge{Meter: NewMeter(counter), older: new(stats.Histogram), newer: new(stats.Histogram), fresh: new(stats.Histogram)}
}

// look is what was done since the last look, with the quantiles of the latest windows.
func (g *gauge) look(now time.Time) Rates {
	if g.counter == nil {
		return Rates{}
	}
	began := g.at.IsZero()
	g.fresh.Reset()
	rates := g.since(now, g.counter.Snapshot(g.fresh))
	if began || g.fresh.Count() < g.newer.Count() {
		*g.older, *g.newer, g.ticks = *g.fresh, *g.fresh, 0
		return rates
	}
	before := g.older
	if g.ticks++; g.ticks >= windowTicks {
		*g.older = *g.fresh // becomes the newer one
		g.older, g.newer, g.ticks = g.newer, g.older, 0
		before = g.older
	}
	g.fresh.Subtract(before)
	rates.P50, rates.P99 = micros(g.fresh, 0.5), micros(g.fresh, 0.99)
	return rates
}

func micros(h *stats.Histogram, p float64) uint64 { return uint64(h.Quantile(p) / time.Microsecond) }
