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

// accept takes connections until the context ends or the listener fails for good. It closes the listener.
func (s *Server) accept(ctx context.Context, listener net.Listener) error {
	defer listener.Close()
	defer context.AfterFunc(ctx, func() { s.stopAccepting(listener) })()
	pause := firstPause
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			pause = firstPause
			s.admit(conn)
		case ctx.Err() != nil:
			return nil
		case !retryable(err):
			return fmt.Errorf("accept clients: %w", err)
		default:
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
func (s *Server) admit(conn net.Conn) {
	limit := s.snapshot.Load().limits.connections
	id := s.nextConn.Add(1)
	if limit > 0 && s.conns.len() >= limit {
		s.refuseConn(conn)
		return
	}
	c := newClientConn(s, conn, id)
	s.conns.add(c)
	go s.serveConn(c)
}

// serveConn serves one connection to its end.
func (s *Server) serveConn(c *clientConn) {
	defer s.conns.remove(c)
	defer func() {
		// Requests recover from their own panics; this is for the reader of requests.
		if cause := recover(); cause != nil {
			c.cut()
			s.panicked(cause, debug.Stack())
		}
	}()
	s.reader.Load().serveConn(c)
}

// refusing bounds the refused connections that are being closed in an orderly way; more are simply closed.
const refusing = 256

// refuseConn answers a connection that is one too many.
func (s *Server) refuseConn(conn net.Conn) {
	s.counters.refused.Add(1)
	if s.refusing.Add(1) > refusing {
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
		answer := appendReply(nil, tooManyConnections.reply(), replyOptions{
			date: s.date(time.Now()), more: http1.Fields{s.words.close},
		})
		if _, err := conn.Write(answer); err == nil {
			linger(conn)
		}
	}()
}
