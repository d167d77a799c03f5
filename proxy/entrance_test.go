package proxy

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/proxy/listen"
	"haldane/stats"
)

// networks parses a list for Options.
func networks(t testing.TB, texts ...string) listen.Networks {
	t.Helper()
	n, err := listen.ParseNetworks(texts)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// selfSigned is a server that can be spoken TLS with.
func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}
}

// startAt runs a proxy with options, secured when a TLS configuration is given.
func startAt(t *testing.T, s Sections, options Options, secured *tls.Config) *rig {
	t.Helper()
	s.Stats = stats.NewRegistry(0)
	r := &rig{t: t, stats: s.Stats, done: make(chan error, 1)}
	r.server = New(options)
	r.server.Swap(build(t, s, nil, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.done <- r.server.Serve(ctx, Entrance{Listener: listener, TLS: secured}) }()
	t.Cleanup(func() {
		if err := r.shutdown(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

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

func TestProxyProtocol(t *testing.T) {
	o := newOrigin(t, nil)
	for _, secured := range []bool{false, true} {
		var config *tls.Config
		if secured {
			config = selfSigned(t)
		}
		r := startAt(t, plain(o.address), Options{ProxyProtocol: networks(t, "127.0.0.0/8")}, config)
		for preface, want := range map[string]string{
			"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n":      "192.0.2.7",
			"PROXY TCP6 2001:db8::7 2001:db8::1 8080 80\r\n": "2001:db8::7",
			"PROXY UNKNOWN\r\n":                              "127.0.0.1",
			"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x08\x0a\x00\x00\x01\x1f\x90\x00\x50": "192.0.2.8",
			"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00":                                                 "127.0.0.1",
		} {
			c := r.dial()
			if secured {
				s := c.send(preface).secure()
				if got := s.ask(get("/")); got.status() != 200 {
					t.Errorf("%q: got %q", preface, got.line)
				}
			} else {
				c.send(preface + get("/")).receive()
				c.send(get("/")).receive()
			}
			if got := o.last().value("X-Forwarded-For"); got != want {
				t.Errorf("%q: the client is %q, want %q", preface, got, want)
			}
		}
		before := o.count()
		r.dial().send(get("/")).ends()
		quiet := r.dial()
		_ = quiet.conn.CloseWrite()
		quiet.ends()
		if n := r.server.Numbers(); o.count() != before || n.UnproxiedConnections != 1 {
			t.Errorf("without a header: %d requests served, %+v", o.count()-before, n)
		}
	}
}

// From anybody else a header is nothing but a bad request.
func TestProxyProtocolFromStrangers(t *testing.T) {
	o := newOrigin(t, nil)
	r := startAt(t, plain(o.address), Options{ProxyProtocol: networks(t, "192.0.2.0/24")}, nil)
	for _, preface := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x08\x0a\x00\x00\x01\x1f\x90\x00\x50",
	} {
		c := r.dial().send(preface, get("/"))
		if got := c.receive(); got.status() != 400 {
			t.Errorf("%q: got %q", preface, got.line)
		}
		c.ends()
	}
	if o.count() > 0 {
		t.Errorf("the endpoint got %q", o.last().line)
	}
}

func TestForwardedFields(t *testing.T) {
	o := newOrigin(t, nil)
	fields := []string{"X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 198.51.100.1, 127.0.0.2", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test", "Forwarded: for=6.6.6.6"}
	for _, c := range []struct {
		trusted []string
		fields  []string
		want    []string
	}{
		{nil, fields, []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test"}},
		{[]string{"192.0.2.1"}, fields, []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test"}},
		{[]string{"127.0.0.0/8"}, fields, []string{
			"X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test", "X-Forwarded-For: 6.6.6.6, 198.51.100.1, 127.0.0.2, 127.0.0.1",
		}},
		{[]string{"127.0.0.0/8"}, nil, []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test"}},
	} {
		r := startAt(t, plain(o.address), Options{TrustedProxies: networks(t, c.trusted...)}, nil)
		r.dial().send(get("/", append(c.fields, "")...)).receive()
		got := without(o.last().fields, "Host", "Via", "X-Request-Id")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("trusted %v: %s", c.trusted, diff)
		}
	}
}

func TestConnectionsPerClient(t *testing.T) {
	s := plain(newOrigin(t, nil).address)
	s.Limits.ConnectionsPerClient = 2
	r := startAt(t, s, Options{ProxyProtocol: networks(t, "127.0.0.1")}, nil)
	from := func(client int) *client {
		return r.dial().send(fmt.Sprintf("PROXY TCP4 192.0.2.%d 10.0.0.1 1 80\r\n", client), get("/"))
	}
	first := from(1)
	first.receive()
	from(1).receive()
	third := from(1)
	if _, err := third.reader.ReadByte(); err == nil || timedOut(err) {
		t.Errorf("a third connection: %v", err)
	}
	from(2).receive()
	if n := r.server.Numbers(); n.CrowdedConnections != 1 || n.RefusedConnections != 0 {
		t.Errorf("%+v", n)
	}
	first.conn.Close()
	await(t, "a place that is free again", func() bool {
		c := from(1)
		defer c.conn.Close()
		m, err := readResponse(c.reader, "GET")
		if isSyntax(err) {
			t.Fatal(err)
		}
		return err == nil && m.status() == 200
	})
}

// Behind a trusted proxy are many clients: its connections are not one client's.
func TestConnectionsOfATrustedProxy(t *testing.T) {
	s := plain(newOrigin(t, nil).address)
	s.Limits.ConnectionsPerClient = 1
	r := startAt(t, s, Options{TrustedProxies: networks(t, "127.0.0.1")}, nil)
	for range 3 {
		r.dial().send(get("/")).receive()
	}
}

// Where there are fewer descriptors than connections allowed, the descriptors count.
func TestCapacity(t *testing.T) {
	r := startAt(t, plain(newOrigin(t, nil).address), Options{Capacity: 1}, nil)
	r.dial().send(get("/")).receive()
	second := r.dial()
	if n := r.server.mayRefuse(); n != 0 {
		t.Errorf("may refuse %d", n)
	}
	second.ends()
	if n := r.server.Numbers(); n.RefusedConnections != 1 {
		t.Errorf("%+v", n)
	}
}
