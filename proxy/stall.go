package proxy

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"haldane/stats"
)

// stall is the part of a connection by which the sweep (see watch) books a request that waits for its answer for too long.
// The request goes on; what it comes to is booked by settle, and judged there if it was not judged here. So that exactly one
// of the two judges it, at is changed by atomic exchange only: the sweep takes a moment that has passed, the connection takes
// whatever there is as soon as the answer comes. Which request a moment belongs to does not matter: terms are read after it
// was taken, and are those of the request that set it.
type stall struct {
	at     atomic.Int64 // when the request is stalled, on the server's clock; or one of the states below
	taking sync.Mutex   // held by the sweep while it decides about what it has taken
	booked bool         // guarded by taking: what it has decided
	terms  stallTerms   // of the request; not changed while at is set or taken
}

// The states of stall.at beside a moment, which is never negative.
const (
	stallNone    int64 = 0  // nothing to look at
	stallSending int64 = -1 // the request's body is on its way up; its end sets the moment
	stallTaken   int64 = -2 // the sweep has it
)

// stallTerms is what the sweep has to know.
type stallTerms struct {
	since         int64 // when the wait began, on the server's clock; zero: when the body was sent
	limit         *stallLimit
	stable, tried *stats.Variant
	lane          stats.Lane
	part          uint8
	charges       charges
}

// watchStall lets the sweep have an eye on the request that is about to be written to an endpoint.
func (x *exchange) watchStall() {
	limit := x.service.stalls
	if limit.off || limit.exempts(x.view.path) {
		return
	}
	s := &x.conn.stall
	s.terms = stallTerms{
		limit: limit, tried: x.variant.stats, lane: x.lane, part: x.assignment.Part, charges: x.charges(),
		stable: x.service.variants[x.assignment.Split.Stable].stats,
	}
	x.watching = true
	if !x.body.whole.Load() {
		s.at.Store(stallSending)
		return
	}
	s.terms.since = int64(x.started.Sub(x.server.started))
	s.at.Store(s.terms.since + int64(limit.least))
}

// unwatchStall takes the request away from the sweep, and notes whether the sweep has booked it.
func (x *exchange) unwatchStall() {
	if !x.watching {
		return
	}
	x.watching = false
	s := &x.conn.stall
	if s.at.Swap(stallNone) == stallTaken {
		s.taking.Lock()
		x.stalled = s.booked
		s.taking.Unlock()
	}
	s.terms = stallTerms{}
}

// bodySent begins the wait of a request whose body has been read to its end: the sweep finds the moment and goes on from
// there. It is called by the goroutine that reads the body.
func (c *clientConn) bodySent() {
	if c.stall.at.Load() == stallSending {
		c.stall.at.CompareAndSwap(stallSending, c.server.clock())
	}
}

// due says whether the sweep has to look at the request.
func (s *stall) due(now int64) bool {
	at := s.at.Load()
	return at > stallNone && at <= now
}

// take decides whether the request is stalled now, and gives back what to book. Each request is given back once.
func (s *stall) take(now int64) (terms stallTerms, stalled bool) {
	at := s.at.Load()
	if at <= stallNone || at > now {
		return terms, false
	}
	s.taking.Lock()
	defer s.taking.Unlock()
	if !s.at.CompareAndSwap(at, stallTaken) {
		return terms, false
	}
	s.booked = false
	if s.terms.since == 0 {
		s.terms.since = at
	}
	if end := s.terms.limit.end(&s.terms, now); end > now {
		s.at.CompareAndSwap(stallTaken, end) // unless the answer has come meanwhile
		return terms, false
	}
	s.booked = true
	return s.terms, true
}

// bookStall counts the request of a connection as failed if it has waited for too long. It belongs to the sweep.
func (s *Server) bookStall(c *clientConn, now int64) {
	defer func() {
		if cause := recover(); cause != nil {
			s.panicked(cause, debug.Stack())
		}
	}()
	terms, stalled := c.stall.take(now)
	if !stalled {
		return
	}
	terms.tried.CountPart(c.id, terms.lane, terms.part, stats.OutcomeTimeout)
	terms.tried.Stall(c.id, terms.lane.With(terms.tried.Service().Kinds().Stalled()))
	terms.charges.failed()
}
