package proxy

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// secure is a client that speaks TLS over a connection.
type secure struct {
	*tls.Conn
	t      *testing.T
	reader *bufio.Reader
	wire   *wire
}

// wire remembers the bytes that came.
type wire struct {
	net.Conn
	came []byte
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.came = append(w.came, p[:n]...)
	return n, err
}

func (c *client) secure() *secure {
	c.t.Helper()
	w := &wire{Conn: c.conn}
	conn := tls.Client(w, &tls.Config{ServerName: "a.test", InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return &secure{Conn: conn, t: c.t, reader: bufio.NewReader(conn), wire: w}
}

func (s *secure) ask(raw string) *message {
	s.t.Helper()
	if _, err := io.WriteString(s, raw); err != nil {
		s.t.Fatal(err)
	}
	m, err := readResponse(s.reader, "GET")
	if err != nil {
		s.t.Fatalf("%q: %v", m.line, err)
	}
	return m
}

// saysGoodbye checks that the connection ends with close_notify and not with a mere end, which could be an attacker's. The
// library forgives that, so the last record itself is looked at: an alert, its type and the seal (RFC 8446 section 5.2).
func (s *secure) saysGoodbye() {
	s.t.Helper()
	const alert = 2 + 1 + 16
	if rest, err := io.ReadAll(s.reader); err != nil || len(rest) > 0 {
		s.t.Errorf("the connection ended with %q, %v", rest, err)
	}
	last := 0
	for rest := s.wire.came; len(rest) > 5; {
		last = int(binary.BigEndian.Uint16(rest[3:5]))
		rest = rest[min(len(rest), 5+last):]
	}
	if last != alert {
		s.t.Errorf("the last record has %d bytes, and is no goodbye", last)
	}
}

func TestTLS(t *testing.T) {
	o := newOrigin(t, nil)
	r := startAt(t, plain(o.address), Options{}, selfSigned(t))
	c := r.dial().secure()
	for range 3 {
		if got := c.ask(get("/")); got.status() != 200 || got.body != "ok" {
			t.Errorf("got %q %q", got.line, got.body)
		}
	}
	if got := o.last(); got.value("X-Forwarded-Proto") != "https" || got.value("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("the endpoint got %q", got.fields)
	}
	if got := c.ask("GET https://a.test/abs HTTP/1.1\r\nHost: a.test\r\n\r\n"); got.status() != 200 || o.last().target() != "/abs" {
		t.Errorf("absolute-form: %q, the endpoint got %q", got.line, o.last().line)
	}
	// A body that is refused is still on its way when the answer is sent: the answer must not be lost.
	if got := c.ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + strings.Repeat("x", 1<<16)); got.status() != 400 {
		t.Errorf("got %q", got.line)
	}
	c.saysGoodbye()
}

// An absolute target of https says that the request was secured on its way, which a stranger may not say.
func TestHTTPSOverAPlainConnection(t *testing.T) {
	o := newOrigin(t, nil)
	const request = "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
	if got := start(t, plain(o.address)).dial().send(request).receive(); got.status() != 421 {
		t.Errorf("from a stranger: got %q", got.line)
	}
	r := startAt(t, plain(o.address), Options{TrustedProxies: networks(t, "127.0.0.1")}, nil)
	if got := r.dial().send(request).receive(); got.status() != 200 {
		t.Errorf("from a trusted proxy: got %q", got.line)
	}
}

func TestPlainHTTPOnTLSPort(t *testing.T) {
	r := startAt(t, plain(newOrigin(t, nil).address), Options{}, selfSigned(t))
	c := r.dial().send(get("/"))
	if got := c.receive(); got.status() != 400 || got.value("Haldane-Error") != "plain HTTP on a port of HTTPS" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	c.ends()
	if n := r.server.Numbers().FailedHandshakes; n != 1 {
		t.Errorf("%d failed handshakes", n)
	}
}

// Handshakes that do not end are cut off by the limit of a head, and delay nobody meanwhile.
func TestSlowHandshakes(t *testing.T) {
	s := plain(newOrigin(t, nil).address)
	s.Timeouts.Header = config.Duration(300 * time.Millisecond)
	r := startAt(t, s, Options{ProxyProtocol: networks(t, "127.0.0.1")}, selfSigned(t))
	const preface = "PROXY UNKNOWN\r\n"
	var slow []*client
	for _, start := range []string{"", "PROXY ", preface, preface + "\x16\x03\x01\x02\x00\x01"} {
		for range 10 {
			slow = append(slow, r.dial().send(start))
		}
	}
	c := r.dial().send(preface).secure()
	if got := c.ask(get("/")); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
	began := time.Now()
	for _, s := range slow {
		s.ends()
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("after %v", took)
	}
	await(t, "the connections to be forgotten", func() bool { return r.server.Numbers().Connections <= 1 })
}

// A drain says goodbye on idle connections, lets a request in flight finish, and ends handshakes.
func TestTLSDrain(t *testing.T) {
	entered, held := make(chan struct{}), make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		if v.target() == "/slow" {
			close(entered)
			<-held
		}
		v.ok()
	})
	r := startAt(t, plain(o.address), Options{}, selfSigned(t))
	idle, fresh, slow, greeting := r.dial().secure(), r.dial().secure(), r.dial().secure(), r.dial()
	idle.ask(get("/"))
	if _, err := io.WriteString(slow, get("/slow")); err != nil {
		t.Fatal(err)
	}
	<-entered
	await(t, "all connections", func() bool { return r.server.Numbers().Connections == 4 })
	r.server.conns.each(func(c *clientConn) { c.since.Store(-int64(time.Minute)) }) // as if they had been idle for long
	r.stop()
	idle.saysGoodbye()
	fresh.saysGoodbye()
	greeting.ends()
	close(held)
	m, err := readResponse(slow.reader, "GET")
	if err != nil || m.status() != 200 || m.value("Connection") != "close" {
		t.Errorf("got %q %q, %v", m.line, m.fields, err)
	}
	slow.saysGoodbye()
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
}

// A client that leaves while it waits, with or without a word, ends its request at the endpoint.
func TestTLSClientGone(t *testing.T) {
	for name, leave := range map[string]func(*client, *secure){
		"with a goodbye": func(_ *client, s *secure) { _ = s.Close() },
		"without":        func(c *client, _ *secure) { _ = c.conn.Close() },
		"reset":          func(c *client, _ *secure) { _ = c.conn.SetLinger(0); _ = c.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			asked, left := make(chan struct{}), make(chan error, 1)
			o := newOrigin(t, func(v *visit) {
				v.read()
				close(asked)
				_, err := v.reader.ReadByte()
				left <- err
				v.hangUp()
			})
			r := startAt(t, plain(o.address), Options{}, selfSigned(t))
			c := r.dial()
			s := c.secure()
			if _, err := io.WriteString(s, get("/")); err != nil {
				t.Fatal(err)
			}
			<-asked
			leave(c, s)
			select {
			case err := <-left:
				if err == nil {
					t.Error("the endpoint got more than the request")
				}
			case <-time.After(patience):
				t.Fatal("the endpoint still waits")
			}
		})
	}
}

// A response that breaks off must not look whole: not by its framing, and not by a goodbye.
func TestTLSTruncation(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 200 OK\r\n\r\nhalf"); v.reset() })
	r := startAt(t, plain(o.address), Options{}, selfSigned(t))
	c := r.dial().secure()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(c.reader); err == nil {
		t.Errorf("the client took %q for everything", all)
	}
}
