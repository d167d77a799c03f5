package upstream

import (
	"context"
	"slices"
	"time"
)

// Queue is where exchanges wait for a connection when MaxConnections are open. They leave it in the order in which they
// came: as soon as one connection is free or closed, the first gets it or its place.
type Queue struct {
	// Size is how many may wait. Zero lets nobody wait.
	Size int
	// Timeout is how long one may wait. Zero sets no bound but the exchange's own.
	Timeout time.Duration
}

// waiter is one exchange in the queue.
type waiter struct {
	granted chan *conn // gets one value: an idle connection, or nil for the place of one that may be opened
}

// enqueue joins the queue. It returns nil when that is full. p.mu is held.
func (p *pool) enqueue() *waiter {
	if len(p.waiting) >= p.queue.Size {
		p.overflows++
		return nil
	}
	w := &waiter{granted: make(chan *conn, 1)}
	p.waiting = append(p.waiting, w)
	p.waits++
	return w
}

// grant gives a connection, or the place of one, to the first in the queue. It reports false when nobody waits. p.mu is
// held.
func (p *pool) grant(c *conn) bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.waiting[0].granted <- c
	p.waiting = slices.Delete(p.waiting, 0, 1)
	return true
}

// leave takes a waiter out of the queue. It reports false when it has been granted something in the meantime.
func (p *pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, w)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	p.overflows++
	return true
}

// wait waits for what the queue grants. A connection that is granted may have died; then its place is left.
func (e *Endpoint) wait(w *waiter, now time.Time, opt *Exchange) (*conn, *Error) {
	op := "wait for a connection to " + e.options.Address
	// A context only because that is what Abort.Fire can end.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	failure := &Error{Kind: KindAborted, Op: op, Err: errAborted}
	if opt.Abort.dialing(cancel) {
		failure = w.await(ctx, e.allowance(now, op, opt))
	}
	if failure != nil && e.pool.leave(w) {
		return nil, failure
	}
	c := <-w.granted
	switch {
	case failure != nil && failure.Kind != KindFull: // it came too late
		if c != nil {
			e.pool.put(c, time.Now())
		} else {
			e.pool.forfeit()
		}
		return nil, failure
	case c != nil && !c.alive():
		c.kill()
		return nil, nil
	}
	return c, nil
}

// allowance is how long an exchange may wait, and what has gone wrong after that.
type allowance struct {
	limit time.Duration // zero: no bound
	over  *Error
}

func (e *Endpoint) allowance(now time.Time, op string, opt *Exchange) allowance {
	p := allowance{limit: e.options.Queue.Timeout, over: &Error{Kind: KindFull, Op: op, Err: errQueue}}
	if d := opt.Deadline; !d.IsZero() && (p.limit <= 0 || d.Before(now.Add(p.limit))) {
		p = allowance{limit: max(d.Sub(now), 1), over: &Error{Kind: KindTimeout, Op: op, Err: errDeadline}}
	}
	return p
}

// await waits until something is granted, which stays in the channel, or says why it has stopped waiting.
func (w *waiter) await(ctx context.Context, p allowance) *Error {
	var over <-chan time.Time
	if p.limit > 0 {
		timer := time.NewTimer(p.limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case c := <-w.granted:
		w.granted <- c
		return nil
	case <-over:
		return p.over
	case <-ctx.Done():
		return &Error{Kind: KindAborted, Op: p.over.Op, Err: errAborted}
	}
}
