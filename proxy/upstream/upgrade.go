package upstream

import (
	"bytes"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"haldane/proxy/socket"
)

// Tunnel is a connection that has switched protocols (RFC 9110 section 7.8): what it carries from here on is not HTTP any more.
// It keeps its place among the endpoint's connections until it is closed. Its methods are those of the connection.
type Tunnel struct {
	net.Conn
	// Early is what the endpoint sent right behind its 101. It comes before what is read.
	Early []byte

	endpoint *Endpoint
	once     sync.Once
}

// Tunnel takes the connection of a 101 out of the exchange, which is over then: the response and all it gave out are no longer
// valid, and Close does nothing. It is nil when the exchange was aborted before; the response is closed then as well.
func (r *Response) Tunnel() *Tunnel {
	c := r.conn
	r.closed = true
	early := bytes.Clone(c.buf.Bytes())
	whole := c.options.Abort.detach()
	c.clear()
	if !whole || c.net.SetDeadline(time.Time{}) != nil {
		c.endpoint.pool.drop(c)
		return nil
	}
	return &Tunnel{Conn: c.net, Early: early, endpoint: c.endpoint}
}

// Cut closes the connection by a reset, so that the endpoint does not take what it got for all.
func (t *Tunnel) Cut() {
	under := t.Conn
	if secure, ok := under.(*tls.Conn); ok {
		under = secure.NetConn() // without an alert that says all is well
	}
	if tcp := socket.Plain(under); tcp != nil {
		_ = tcp.SetLinger(0)
	}
	_ = under.Close()
	_ = t.Close()
}

// Close closes the connection and gives its place free. It may be called more than once, from any goroutine.
func (t *Tunnel) Close() error {
	err := t.Conn.Close()
	t.once.Do(t.endpoint.pool.forfeit)
	return err
}
