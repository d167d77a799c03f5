package proxy

import (
	"crypto/tls"
	"net"
	"time"
)

// How a connection ends in good order.

// Close ends the connection after the last response. When the client may still be sending, closing at once would reset
// the connection and take the response away from it (RFC 9112 section 9.6): then the sending side is closed first and
// what still arrives is thrown away, for a while.
func (c *clientConn) Close() error {
	if t := c.tunnel.Load(); t != nil {
		t.release()
		return nil
	}
	if c.parked {
		return nil
	}
	if c.lingering && c.state.Load() != connClosing {
		c.lingering = false
		c.linger()
	}
	return c.Conn.Close()
}

// The bounds of a lingering close.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// linger closes the sending side, under TLS with the word that this was all (RFC 8446 section 6.1), and waits for the client.
func (c *clientConn) linger() {
	if secured, ok := c.Conn.(*tls.Conn); ok && secured.CloseWrite() != nil {
		return
	}
	linger(c.socket)
}

// linger closes the sending side and reads until the client has closed its own, or for as long as is decent.
func linger(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil || conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	var scrap [4096]byte
	for total := 0; total < lingerBytes; {
		n, err := conn.Read(scrap[:])
		if err != nil {
			return
		}
		total += n
	}
}
