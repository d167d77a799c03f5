package upstream

import (
	"slices"
	"sync"
	"time"
)

// pool keeps the idle connections of an endpoint, the last used on top: under falling load those at the bottom grow old
// and go, and the top stays warm.
type pool struct {
	limit     int           // open connections; zero or less for no bound
	keepAlive time.Duration // zero keeps none

	mu     sync.Mutex
	idle   []*conn // by idleSince, oldest first
	open   int     // idle, in use and being opened
	closed bool
}

// take returns an idle connection that looked alive, or nil and whether a new one may be opened: its place is then taken
// already.
func (p *pool) take(now time.Time) (c *conn, mayOpen bool) {
	p.prune(now)
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			mayOpen = p.limit <= 0 || p.open < p.limit
			if mayOpen {
				p.open++
			}
			p.mu.Unlock()
			return nil, mayOpen
		}
		c = p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if c.probe.alive() {
			return c, true
		}
		p.drop(c)
	}
}

// put keeps a connection for the next exchange.
func (p *pool) put(c *conn, now time.Time) {
	p.mu.Lock()
	keep := !p.closed && p.keepAlive > 0
	if keep {
		c.idleSince = now
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		p.drop(c)
	}
}

// drop closes a connection and gives its place free.
func (p *pool) drop(c *conn) {
	c.kill()
	p.forfeit()
}

// forfeit gives the place of a connection free that is closed or was never opened.
func (p *pool) forfeit() {
	p.mu.Lock()
	p.open--
	p.mu.Unlock()
}

func (p *pool) prune(now time.Time) {
	p.mu.Lock()
	old := 0
	for old < len(p.idle) && now.Sub(p.idle[old].idleSince) >= p.keepAlive {
		old++
	}
	if old == 0 {
		p.mu.Unlock()
		return
	}
	expired := slices.Clone(p.idle[:old])
	p.idle = slices.Delete(p.idle, 0, old)
	p.mu.Unlock()
	for _, c := range expired {
		p.drop(c)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		p.drop(c)
	}
}

func (p *pool) count() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, len(p.idle)
}
