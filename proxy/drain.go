package proxy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// drainGrace is how long an idle connection stays open in a drain, counted from its last response. Closing a connection
// right after a response takes away the request that is already on its way; one that has been idle for longer is
// unlikely to be used at this very moment.
const drainGrace = time.Second

// cutTime is how long a drain waits for requests to notice that they were cut.
const cutTime = 2 * time.Second

// tracker knows every open client connection.
type tracker struct {
	wait sync.WaitGroup // the goroutines of connections

	mu    sync.Mutex
	conns map[*clientConn]struct{}
}

func (t *tracker) add(c *clientConn) {
	t.wait.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[c] = struct{}{}
}

func (t *tracker) remove(c *clientConn) {
	t.mu.Lock()
	delete(t.conns, c)
	t.mu.Unlock()
	t.wait.Done()
}

func (t *tracker) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns)
}

// each calls visit for every open connection. visit must not block.
func (t *tracker) each(visit func(*clientConn)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		visit(c)
	}
}

// collect appends the open connections that are wanted.
func (t *tracker) collect(into []*clientConn, wanted func(*clientConn) bool) []*clientConn {
	t.each(func(c *clientConn) {
		if wanted(c) {
			into = append(into, c)
		}
	})
	return into
}

// Serve accepts and serves clients at the entrances until the context ends, then drains: it stops accepting, closes idle connections, lets
// every request in flight finish with "Connection: close", and cuts what is left when timeouts.drain is over. It blocks
// until all of that is done, closes the listeners, and returns nil after a clean drain. A Server serves once.
func (s *Server) Serve(ctx context.Context, entrances ...Entrance) error {
	if s.snapshot.Load() == nil {
		return fmt.Errorf("serve: %w", errNoSnapshot)
	}
	stop := make(chan struct{})
	var watching sync.WaitGroup
	s.openParking()
	watching.Go(func() { s.watch(stop) })
	watching.Go(func() { s.ease(stop) })
	failed := s.acceptAll(ctx, entrances)
	failed = errors.Join(failed, s.drain())
	close(stop)
	watching.Wait()
	s.parking.close()
	return failed
}

// drain ends all connections. The flag is raised before the sweep, and a connection that becomes idle looks at the
// flag after it said so: one of the two always sees the other.
func (s *Server) drain() error {
	s.draining.Store(true)
	done := make(chan struct{})
	go func() {
		s.conns.wait.Wait()
		close(done)
	}()
	s.conns.each((*clientConn).dismiss)
	s.parking.sweep()

	limit := s.snapshot.Load().timeouts.drain
	if s.waited(done, limit) {
		return nil
	}
	left := s.conns.len()
	s.logger.Warn("cutting the requests that are left after the drain", zap.Int("connections", left),
		zap.Duration("limit", limit))
	s.conns.each((*clientConn).cut)
	select {
	case <-done:
		return nil
	case <-time.After(cutTime):
	}
	return fmt.Errorf("drain: %d connections are still open %v after they were cut", s.conns.len(), cutTime)
}

// waited says whether done was closed within the limit, and before Cut was called; zero is no limit.
func (s *Server) waited(done <-chan struct{}, limit time.Duration) bool {
	var over <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-done:
		return true
	case <-over:
	case <-s.cutting:
	}
	return false
}

// Cut ends a drain: what is left is cut at once. It may be called at any time, and more than once; a drain that begins later
// does not wait at all.
func (s *Server) Cut() { s.cutOnce.Do(func() { close(s.cutting) }) }

// dismiss closes the connection if it is idle, or makes its idle time end soon. A request that has arrived is served. A
// secured connection always ends by its own goroutine, which tells the client, and may have to wait for that.
func (c *clientConn) dismiss() {
	secured := c.secured
	if c.state.Load() != connIdle || !secured && peek(c.socket) == peekData {
		return
	}
	if end := c.graceEnd(); secured || time.Until(end) > 0 {
		_ = c.socket.SetReadDeadline(end)
		return
	}
	if c.state.CompareAndSwap(connIdle, connClosing) {
		_ = c.socket.Close()
	}
}

// graceEnd is when an idle connection ends in a drain.
func (c *clientConn) graceEnd() time.Time {
	return c.server.started.Add(time.Duration(c.since.Load()) + drainGrace)
}
