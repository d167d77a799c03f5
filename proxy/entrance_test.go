package proxy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
