package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"haldane/proxy/http1"
	"haldane/proxy/listen"
)

// Entrance is one place where clients come in.
type Entrance struct {
	// Listener gives the connections. Serve closes it.
	Listener net.Listener
	// TLS secures them; nil for plain HTTP. It must not offer another protocol than http/1.1.
	TLS *tls.Config
}

// secured says whether clients speak TLS here.
func (e *Entrance) secured() bool { return e.TLS != nil }

// greet does what comes before the first request: it learns who the client is, whether it may have another connection, and
// secures the connection, all within the limit of a head. It says whether there may be a request; if not, it has closed
// the connection. For plain HTTP without a balancer in front it makes no system call.
func (c *clientConn) greet() bool {
	s := c.server
	if balanced := s.proxyProtocol.Contains(c.client); balanced || c.secured {
		if c.armGreeting() != nil || balanced && !c.readPreface() {
			_ = c.socket.Close()
			return false
		}
	}
	c.trusted = s.trustedProxies.Contains(c.client)
	if !c.enter() {
		s.counters.crowded.Add(1)
		_ = c.socket.Close()
		return false
	}
	return !c.secured || c.secure()
}

// armGreeting sets the limit for the greeting. A drain looks at the connection after it has raised its flag, and this
// looks at the flag after it has set the limit: one of the two always sees the other.
func (c *clientConn) armGreeting() error {
	if err := c.socket.SetDeadline(c.deadline()); err != nil {
		return err
	}
	if c.server.draining.Load() {
		return c.socket.SetReadDeadline(c.graceEnd())
	}
	return nil
}

// readPreface reads for whom a balancer opened the connection. A balancer that does not say so is not served: its own
// address would pass for the client's.
func (c *clientConn) readPreface() bool {
	header, conn, err := listen.ReadHeader(c.Conn)
	switch {
	case errors.Is(err, listen.ErrSilent):
		return false
	case err != nil:
		c.server.counters.unproxied.Add(1)
		c.server.logger.Debug("no PROXY protocol header", zap.Stringer("from", c.client), zap.Error(err))
		return false
	}
	c.Conn = conn
	if header.Client.IsValid() {
		c.setClient(header.Client)
	}
	return true
}

// setClient says who the client is.
func (c *clientConn) setClient(address netip.Addr) {
	c.client = address
	c.text = address.AppendTo(c.text[:0])
}

// enter counts the connection among the client's, if those are limited. Behind a trusted proxy are many clients.
func (c *clientConn) enter() (ok bool) {
	limit := c.server.snapshot.Load().limits.perClient
	if limit <= 0 || c.trusted {
		return true
	}
	c.resident, ok = c.server.census.Enter(c.client, limit)
	return ok
}

// secure shakes hands. It happens on the goroutine of the connection, so that a slow client delays nobody.
func (c *clientConn) secure() bool {
	secured := tls.Server(c.Conn, c.entrance.TLS)
	err := secured.HandshakeContext(context.Background()) // bounded by the limit of the greeting
	if failure := listen.CheckHandshake(err); failure != listen.HandshakeDone {
		c.server.counters.handshakes.Add(1)
		c.server.logger.Debug("TLS handshake failed", zap.ByteString("client", c.text), zap.Error(err))
		if failure == listen.HandshakePlainHTTP {
			c.redirectPlain()
		}
		_ = secured.Close()
		return false
	}
	c.Conn = secured
	return c.socket.SetWriteDeadline(time.Time{}) == nil
}

// redirectPlain tells a client that speaks plain HTTP where it is.
func (c *clientConn) redirectPlain() {
	answer := appendReply(nil, plainHTTP.reply(), replyOptions{
		date: c.server.date(time.Now()), more: http1.Fields{c.server.words.close},
	})
	if _, err := c.socket.Write(answer); err == nil {
		linger(c.socket)
	}
}
