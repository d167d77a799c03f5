package proxy

import (
	"math"
	"sync"

	"go.uber.org/zap"
)

// parking keeps the connections that wait for another request, without a goroutine, a stack or a buffer for any of them: one
// goroutine (run) waits for all, and starts one for a connection that has something to say.
//
// A connection belongs to its goroutine until park, and from then on to whoever takes it out of its slot: run when something
// has come, the sweep (see watch) when its time is over. Only one of them can. Nobody else may look at what belongs to
// the goroutine of a connection; cut and dismiss only touch what anyone may.
//
// A nil parking, as on systems without epoll, takes nothing in.
type parking struct {
	server *Server
	poller *poller
	wait   sync.WaitGroup // run

	mu       sync.Mutex
	closed   bool
	slots    []slot
	free     []uint32 // slots without a connection
	tickets  uint32   // given out
	earliest int64    // no slot is due before
}

// slot is the place of one parked connection.
type slot struct {
	conn *clientConn // nil for none
	due  int64       // when its idle time ends, on the server's clock
	// ticket tells the connection from those that had the slot before: of them, events may still be on their way.
	ticket uint32
}

// spot is where a connection is parked.
type spot struct{ slot, ticket uint32 }

// arrival is what is to be read on a parked connection.
type arrival struct {
	spot  spot
	ended bool // the peer has closed its sending side, or reset the connection
}

// openParking prepares a parking and starts to wait for its connections. Without one, connections keep their goroutines.
func (s *Server) openParking() {
	p, err := newPoller()
	if err != nil {
		s.logger.Warn("idle connections will need more memory than usual", zap.Error(err))
		return
	}
	if p == nil {
		return
	}
	s.parking = &parking{server: s, poller: p, earliest: math.MaxInt64}
	s.parking.wait.Go(s.parking.run)
}

// close ends the waiting. It is for after the drain.
func (p *parking) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.poller.close()
	p.wait.Wait()
}

// park takes a connection in, which from then on is not the caller's any more, or says that it cannot.
func (p *parking) park(c *clientConn) bool {
	again := c.polled
	c.polled = true
	place, ok := p.put(c)
	if !ok || p.poller.watch(c.socket, place, again) == nil {
		return ok
	}
	// If it is not there any more, it is somebody else's, who finds out what is wrong.
	if p.take(place) == nil {
		return true
	}
	c.polled = again
	return false
}

// put gives a connection a slot.
func (p *parking) put(c *clientConn) (spot, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return spot{}, false
	}
	if len(p.free) == 0 {
		p.free = append(p.free, uint32(len(p.slots)))
		p.slots = append(p.slots, slot{})
	}
	last := len(p.free) - 1
	place := spot{p.free[last], p.tickets}
	p.free = p.free[:last]
	p.tickets++
	due := c.idleEnd()
	p.slots[place.slot] = slot{conn: c, due: due, ticket: place.ticket}
	p.earliest = min(p.earliest, due)
	return place, true
}

// take takes a connection out. It returns nil if it is not there any more.
func (p *parking) take(from spot) *clientConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(from.slot) >= len(p.slots) || p.slots[from.slot].ticket != from.ticket {
		return nil
	}
	return p.clear(from.slot)
}

// clear frees a slot.
func (p *parking) clear(index uint32) *clientConn {
	c := p.slots[index].conn
	if c == nil {
		return nil
	}
	p.slots[index].conn = nil
	if p.free = append(p.free, index); len(p.free) == len(p.slots) {
		p.slots, p.free = nil, nil // a crowd has left
		p.earliest = math.MaxInt64
	}
	return c
}

// sweep ends the connections whose idle time is over: in a drain, all that may be closed.
func (p *parking) sweep() {
	if p == nil {
		return
	}
	for _, c := range p.overdue() {
		c.unpark(false)
	}
}

// overdue takes out the connections whose time is over. Which of them these are is found by a look at every slot, but only
// when there may be one: the limits of connections differ after a reload, so that they are in no order.
func (p *parking) overdue() []*clientConn {
	now, draining := p.server.clock(), p.server.draining.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now < p.earliest && !draining {
		return nil
	}
	var over []*clientConn
	p.earliest = math.MaxInt64
	for i, s := range p.slots {
		switch {
		case s.conn == nil:
		case s.due <= now, draining && s.conn.mayEnd():
			over = append(over, p.clear(uint32(i)))
		default:
			p.earliest = min(p.earliest, s.due)
		}
	}
	return over
}

// run waits for something to come on any of the connections, until close. Should the waiting fail, the connections have
// goroutines from then on.
func (p *parking) run() {
	var arrivals [128]arrival
	for {
		n, err := p.poller.next(arrivals[:])
		if err != nil {
			for _, c := range p.abandon(err) {
				c.unpark(false)
			}
			return
		}
		for _, a := range arrivals[:n] {
			if c := p.take(a.spot); c != nil {
				c.unpark(a.ended)
			}
		}
	}
}

// abandon takes out all connections, and lets no more in.
func (p *parking) abandon(why error) []*clientConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.server.logger.Error("idle connections need more memory than usual from now on", zap.Error(why))
	}
	var all []*clientConn
	for i, s := range p.slots {
		if s.conn != nil {
			all = append(all, p.clear(uint32(i)))
		}
	}
	return all
}

// len is how many connections are parked.
func (p *parking) len() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.slots) - len(p.free)
}
