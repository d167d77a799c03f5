package rollout

import (
	"math"
	"time"
)

// paceMemory is the time over which the rate of requests is averaged: what is older counts for a third and less.
const paceMemory = 30 * time.Second

// pace is how fast requests come that may be compared. A stage begins a new one, because another weight brings others.
type pace struct {
	// Since is when it began, At when the sums were brought up to date.
	Since time.Time `json:"since,omitzero"`
	At    time.Time `json:"at,omitzero"`
	// Canary and Both are the requests of the canary and of both variants, each the less the older it is.
	Canary float64 `json:"canary"`
	Both   float64 `json:"both"`
}

// add books requests that came since the last call.
func (p *pace) add(now time.Time, canary, both uint64) {
	if p.Since.IsZero() || now.Before(p.At) {
		*p = pace{Since: now, At: now}
	}
	part := fading(now.Sub(p.At))
	p.At = now
	p.Canary = p.Canary*part + float64(canary)
	p.Both = p.Both*part + float64(both)
}

// fading is what is left of a request's weight after a time.
func fading(d time.Duration) float64 { return math.Exp(-d.Seconds() / paceMemory.Seconds()) }

// canary and both are requests a second, as seen from a moment; 0 when nothing is known.
func (p *pace) canary(now time.Time) float64 { return p.perSecond(now, p.Canary) }

func (p *pace) both(now time.Time) float64 { return p.perSecond(now, p.Both) }

func (p *pace) perSecond(now time.Time, sum float64) float64 {
	if p.Since.IsZero() || !now.After(p.Since) {
		return 0
	}
	seen := paceMemory.Seconds() * (1 - fading(now.Sub(p.Since)))
	return sum * fading(max(0, now.Sub(p.At))) / seen
}
