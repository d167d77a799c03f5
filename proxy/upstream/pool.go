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
	queue     Queue

	mu      sync.Mutex
	idle    []*conn // by idleSince, oldest first
	open    int     // idle, in use and being opened
	waiting []*waiter
	closed  bool

	waits, overflows uint64 // exchanges that had to wait, and those that got nothing
}

// taken is what an exchange gets from the pool: an idle connection, or the place of one that it may open, or a place in
// the queue, or nothing.
type taken struct {
	conn    *conn
	mayOpen bool
	waiter  *waiter
}

// take finds an idle connection, which may have died, or what is next best.
func (p *pool) take(now time.Time) taken {
	p.mu.Lock()
	if p.aged(now) > 0 {
		p.mu.Unlock()
		p.prune(now)
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		if p.limit > 0 && p.open >= p.limit {
			return taken{waiter: p.enqueue()}
		}
		p.open++
		return taken{mayOpen: true}
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return taken{conn: c}
}

// reserve takes the place of a new connection, if one may be opened.
func (p *pool) reserve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > 0 && p.open >= p.limit {
		return false
	}
	p.open++
	return true
}

// put keeps a connection for the next exchange.
func (p *pool) put(c *conn, now time.Time) {
	p.mu.Lock()
	keep := !p.closed && p.keepAlive > 0
	if keep && !p.grant(c) {
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

// part is drop of an idle connection, which is told that it ends.
func (p *pool) part(c *conn) {
	_ = c.net.Close()
	p.forfeit()
}

// forfeit gives the place of a connection free that is closed or was never opened.
func (p *pool) forfeit() {
	p.mu.Lock()
	if !p.grant(nil) {
		p.open--
	}
	p.mu.Unlock()
}

// aged is how many connections have been idle for too long. The lock is held.
func (p *pool) aged(now time.Time) (old int) {
	for old < len(p.idle) && now.Sub(p.idle[old].idleSince) >= p.keepAlive {
		old++
	}
	return old
}

// prune ends the connections that have been idle for too long.
func (p *pool) prune(now time.Time) {
	p.mu.Lock()
	old := p.aged(now)
	if old == 0 {
		p.mu.Unlock()
		return
	}
	expired := slices.Clone(p.idle[:old])
	p.idle = slices.Delete(p.idle, 0, old)
	p.mu.Unlock()
	for _, c := range expired {
		p.part(c)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		p.part(c)
	}
}

// reopen undoes close.
func (p *pool) reopen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
}

func (p *pool) load() Load {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Load{Open: p.open, Idle: len(p.idle), Waiting: len(p.waiting), Waits: p.waits, Overflows: p.overflows}
}
