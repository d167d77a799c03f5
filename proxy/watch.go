package proxy

import "time"

// How often, and after how long, Haldane looks whether the client of a request is still there. Most requests are over
// before the first look.
const (
	watchEvery = 250 * time.Millisecond
	watchAfter = 200 * time.Millisecond
)

// What there is to be read on a connection.
type peeked uint8

const (
	peekNothing peeked = iota // nothing, or nobody can tell
	peekData
	peekEnd // the peer has closed or reset it
)

// watch ends the requests whose clients have left while they waited: a request that nobody waits for must not hold a
// connection of an endpoint. A client that has closed its sending side counts as gone, as it does for other proxies: the two
// cannot be told apart without writing. Bytes that wait to be read hide the end, then the next write finds out.
//
// On the same round it books the requests that have stalled.
func (s *Server) watch(stop <-chan struct{}) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var waiting []*clientConn
	for round := 0; ; round++ {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			s.snapshot.Load().tick(now, round)
		}
		s.sweepTunnels(time.Now())
		s.parking.sweep()
		now := s.clock()
		before := now - int64(watchAfter)
		waiting = s.conns.collect(waiting[:0], func(c *clientConn) bool {
			since := c.watched.Load()
			return since != 0 && (since < before || c.stall.due(now))
		})
		for _, c := range waiting {
			s.bookStall(c, now)
			if c.peek() == peekEnd {
				c.abort.Fire()
			}
		}
		clear(waiting)
	}
}
