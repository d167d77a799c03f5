package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"

	"haldane/proxy/http1"
	"haldane/proxy/listen"
)

// The pauses after a failed accept. They bound the noise in the log and the waste of a machine that has run out of file
// descriptors, and are short enough that nobody notices once it has some again.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// backlogTime is how long a draining server goes on accepting: what the kernel has already taken in would be reset
// when the listener closes.
const backlogTime = 20 * time.Millisecond

// acceptAll takes connections at every entrance until the context ends, or one of them fails for good. It closes them all.
func (s *Server) acceptAll(ctx context.Context, entrances []Entrance) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	results := make(chan error, len(entrances))
	for i := range entrances {
		go func() {
			defer stop()
			results <- s.accept(ctx, &entrances[i])
		}()
	}
	var failed error
	for range entrances {
		failed = errors.Join(failed, <-results)
	}
	return failed
}

// accept takes connections until the context ends or the listener fails for good. It closes the listener.
func (s *Server) accept(ctx context.Context, entrance *Entrance) error {
	listener := entrance.Listener
	defer listener.Close()
	defer context.AfterFunc(ctx, func() { s.stopAccepting(listener) })()
	pause := firstPause
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			pause = firstPause
			s.admit(conn, entrance)
		case ctx.Err() != nil:
			return nil
		case !retryable(err):
			return fmt.Errorf("accept clients: %w", err)
		default:
			s.counters.acceptFailures.Add(1)
			s.logger.Warn("cannot accept a connection", zap.Error(err), zap.Duration("retry_in", pause))
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, lastPause)
		}
	}
}

// stopAccepting lets the accept loop empty the backlog and then end.
func (s *Server) stopAccepting(listener net.Listener) {
	if timed, ok := listener.(interface{ SetDeadline(time.Time) error }); ok {
		if timed.SetDeadline(time.Now().Add(backlogTime)) == nil {
			return
		}
	}
	_ = listener.Close()
}

// retryable says whether accepting may work again. An error of the system call says something about the moment (no file
// descriptors, no memory, a connection that was reset while it waited); everything else says that the listener is gone.
func retryable(err error) bool {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EBADF) {
		return false
	}
	var errno syscall.Errno
	var network net.Error
	return errors.As(err, &errno) || errors.As(err, &network) && network.Timeout()
}

// admit starts to serve one connection, or refuses it.
func (s *Server) admit(conn net.Conn, entrance *Entrance) {
	limit := s.room(s.snapshot.Load().limits.connections)
	id := s.nextConn.Add(1)
	switch {
	case s.shedding.Load():
		s.counters.shed.Add(1)
		s.refuseConn(conn, entrance, memoryShort)
		return
	case limit > 0 && s.conns.len() >= limit:
		s.counters.refused.Add(1)
		s.refuseConn(conn, entrance, tooManyConnections)
		return
	}
	c := newClientConn(s, conn, id)
	c.entrance, c.secured = entrance, entrance.secured()
	s.conns.add(c)
	s.awake.Add(1)
	go s.serveConn(c)
}

// room is how many connections there may be: as many as are allowed, and as the process has descriptors for.
func (s *Server) room(allowed int) int {
	if s.capacity > 0 && (allowed <= 0 || s.capacity < allowed) {
		return s.capacity
	}
	return allowed
}

// serveConn serves one connection from its beginning.
func (s *Server) serveConn(c *clientConn) {
	listen.BoundUnsent(c.socket)
	if s.contained(c, c.greet) {
		s.serveAgain(c)
		return
	}
	s.awake.Add(-1)
	s.leave(c)
}

// serveAgain serves one connection until it ends or is parked.
func (s *Server) serveAgain(c *clientConn) {
	defer s.awake.Add(-1)
	for s.contained(c, c.serveRequests) {
		if s.parking.park(c) {
			return // it is not ours any more
		}
	}
	s.leave(c)
}

// serveRequests serves requests until the connection has ended, or says that it wants to be parked. It needs an exchange
// for that long only.
func (c *clientConn) serveRequests() (park bool) {
	c.parked = false
	c.takeExchange()
	c.server.reader.Load().serveConn(c)
	c.giveExchange()
	return c.parked
}

// contained does a part of the work on a connection. Requests recover from their own panics; this is for the rest, such as the
// reader of requests.
func (s *Server) contained(c *clientConn, work func() bool) (more bool) {
	defer func() {
		if cause := recover(); cause != nil {
			c.cut()
			s.panicked(cause, debug.Stack())
			more = false
		}
	}()
	return work()
}

// leave forgets a connection that has ended.
func (s *Server) leave(c *clientConn) {
	s.census.Leave(c.resident)
	s.conns.remove(c)
}

// refusing bounds the refused connections that are being closed in an orderly way; more are simply closed.
const refusing = 256

// mayRefuse is refusing, or less where there are few descriptors.
func (s *Server) mayRefuse() int64 {
	if s.capacity > 0 {
		return min(refusing, int64(s.capacity)/8)
	}
	return refusing
}

// refuseConn answers a connection that is one too many. One that would first have to be secured is only closed.
func (s *Server) refuseConn(conn net.Conn, entrance *Entrance, why failure) {
	if s.refusing.Add(1) > s.mayRefuse() || entrance.secured() {
		s.refusing.Add(-1)
		_ = conn.Close()
		return
	}
	s.conns.wait.Add(1)
	go func() {
		defer s.conns.wait.Done()
		defer s.refusing.Add(-1)
		defer conn.Close()
		if conn.SetWriteDeadline(time.Now().Add(time.Second)) != nil {
			return
		}
		answer := appendReply(nil, why.reply(), replyOptions{
			date: s.date(time.Now()), more: http1.Fields{s.words.close},
		})
		if _, err := conn.Write(answer); err == nil {
			linger(conn)
		}
	}()
}
