package balance

import (
	"math/bits"
	"time"

	"haldane/config"
)

const (
	// longestEjection bounds how long an ejection becomes by being repeated.
	longestEjection = 5 * time.Minute
	// memory is how many times the length of an ejection it is remembered after its end.
	memory = 10
)

// eject takes an endpoint out for a while, if enough others stay.
func (g *Group) eject(c *condition, now time.Time) {
	g.mu.Lock()
	usable, ejected, candidate := 0, 0, false
	for _, e := range g.members {
		if in, _ := e.condition.standing(now, &g.options); in {
			usable++
			candidate = candidate || e.condition == c
		}
		if e.condition.ejected() {
			ejected++
		}
	}
	allowed := candidate && usable > 1 && ejected < portion(g.options.Ejection.MaxShare, len(g.members))
	changed := allowed && c.banish(now, time.Duration(g.options.Ejection.Time))
	g.mu.Unlock()
	if changed {
		c.announce(now)
	}
}

// portion is a share of n, rounded down.
func portion(share config.Percent, n int) int {
	high, low := bits.Mul64(uint64(n), uint64(min(share, config.Whole)))
	part, _ := bits.Div64(high, low, uint64(config.Whole))
	return int(part)
}

// ejected says whether the endpoint is out by ejection.
func (c *condition) ejected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.until.IsZero()
}

// banish begins an ejection. One that follows soon after another lasts twice as long.
func (c *condition) banish(now time.Time, first time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return false
	}
	length := first
	if c.penalty > 0 && now.Sub(c.ended) < memory*c.penalty {
		length = min(2*c.penalty, max(longestEjection, first))
	}
	c.penalty, c.until = length, now.Add(length)
	c.ejections++
	return true
}

// readmit ends an ejection whose time is over.
func (c *condition) readmit(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() || now.Before(c.until) {
		return false
	}
	c.until, c.ended, c.since = time.Time{}, now, now
	c.streak.Store(0)
	return true
}
