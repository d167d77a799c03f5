package proxy

import (
	"crypto/rand"
	"net"
	"time"

	"haldane/config"
	"haldane/stats"
)

// How a tunnel is ended that nobody has closed.

// tunnelTerms are config.Tunnels, ready for use.
type tunnelTerms struct {
	onRollback, onShutdown config.TunnelDrain
	idle                   time.Duration // zero for no bound
}

// newTunnelTerms takes over the settings of a service.
func newTunnelTerms(t config.Tunnels) tunnelTerms {
	return tunnelTerms{onRollback: t.OnRollback, onShutdown: t.OnShutdown, idle: time.Duration(t.Idle)}
}

// fate is since when a tunnel has a reason to be ended, as the sweep has seen it; zero for no reason.
type fate struct {
	revoked, draining time.Time
}

// sweepTunnels looks at all tunnels and ends those whose time has come.
func (s *Server) sweepTunnels(now time.Time) {
	if s.tunnels.Load() == 0 {
		return
	}
	write, drain := s.snapshot.Load().timeouts.write, s.snapshot.Load().timeouts.drain
	s.conns.each(func(c *clientConn) {
		t := c.tunnel.Load()
		if t == nil {
			return
		}
		switch {
		case t.doomed(now):
			t.finish(stats.TunnelRollback)
		case s.draining.Load() && t.drained(now, drain):
			t.finish(stats.TunnelShutdown)
		case t.silent(write):
			t.finish(stats.TunnelIdle)
		}
	})
}

// doomed says whether the time is up that a rollback leaves the tunnels of its canary.
func (t *tunnel) doomed(now time.Time) bool {
	terms := t.terms.onRollback
	if !terms.Close || !t.assigned.Revoked() {
		return false
	}
	if t.fate.revoked.IsZero() {
		t.fate.revoked = now
	}
	return now.Sub(t.fate.revoked) >= terms.Delay
}

// drained says whether the time is up that a drain leaves tunnels. All are ended in time for their farewell before the drain
// cuts them.
func (t *tunnel) drained(now time.Time, limit time.Duration) bool {
	terms := t.terms.onShutdown
	if t.fate.draining.IsZero() {
		t.fate.draining = now
	}
	last := limit - farewellTime - 2*watchEvery
	if !terms.Close && limit <= 0 {
		return false
	}
	if limit > 0 && (!terms.Close || last < terms.Delay) {
		terms.Delay = last
	}
	return now.Sub(t.fate.draining) >= terms.Delay
}

// silent says whether nothing has moved for too long, be it that nobody has anything to say or that one end does not
// read.
func (t *tunnel) silent(write time.Duration) bool {
	now, idle := t.client.server.clock(), t.terms.idle
	if t.done.Load() && (idle <= 0 || idle > afterEnd) {
		idle = afterEnd
	}
	if idle > 0 && now-t.moved.Load() > int64(idle) {
		return true
	}
	for _, f := range []*flow{&t.up, &t.down} {
		if since := f.writing.Load(); write > 0 && since != 0 && now-since > int64(write) {
			return true
		}
	}
	return false
}

// finish begins to end the tunnel. It does not wait, and may be called from any goroutine.
func (t *tunnel) finish(why stats.TunnelEnd) {
	t.leaving.Lock()
	defer t.leaving.Unlock()
	if !t.ending.CompareAndSwap(0, uint32(why)+1) {
		return
	}
	// What waits to read wakes up and sees why; what waits to write gets as long as the farewell may take.
	for _, conn := range []net.Conn{t.client.Conn, t.upstream.Conn} {
		_ = conn.SetWriteDeadline(time.Now().Add(farewellTime))
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// takeLeave ends this direction of a tunnel that is being ended. The peer of a WebSocket is told with a close frame, which can
// only stand between two frames: what is left of one that has begun is carried first. Then what still comes from the other
// peer is read and thrown away until that one has answered its own close frame (RFC 6455 section 7.1.2), since closing with
// something unread would reset the connection and take the close frame away. It says false when the peer could not be told.
func (f *flow) takeLeave() bool {
	if f.frames == nil || f.failed {
		return false
	}
	f.tunnel.leaving.Lock() // finish has set its limits
	_ = f.from.SetReadDeadline(time.Now().Add(farewellTime))
	f.tunnel.leaving.Unlock()
	var piece [1024]byte
	rest, ok := f.completeFrame(piece[:])
	if !ok || !f.frames.closed && !f.sendGoingAway() {
		return false
	}
	f.frames.follow(rest)
	for !f.frames.closed {
		n, err := f.from.Read(piece[:])
		f.frames.follow(piece[:n])
		if err != nil {
			break
		}
	}
	return true
}

// completeFrame carries what is left of a frame, and gives back what came behind it.
func (f *flow) completeFrame(piece []byte) (rest []byte, ok bool) {
	for !f.frames.boundary() {
		n, err := f.from.Read(piece)
		whole := f.frames.advance(piece[:n])
		if _, failed := f.to.Write(piece[:whole]); failed != nil {
			return nil, false
		}
		f.bytes += int64(whole)
		rest = piece[whole:n]
		if err != nil && !f.frames.boundary() {
			return nil, false
		}
	}
	return rest, true
}

// sendGoingAway writes the close frame of this direction.
func (f *flow) sendGoingAway() bool {
	var mask *[4]byte
	if f == &f.tunnel.up {
		mask = new([4]byte)
		_, _ = rand.Read(mask[:]) // never fails
	}
	_, err := f.to.Write(goingAway(mask))
	return err == nil
}
