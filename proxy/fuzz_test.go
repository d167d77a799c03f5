package proxy

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"haldane/config"
	"haldane/proxy/http1"
	"haldane/router"
	"haldane/stats"
)

// FuzzGuard holds what the guard lets through against the oracle: the head that goes to the endpoint is exactly one
// well-formed request with one Host, one framing and nothing behind it, whatever came in.
func FuzzGuard(f *testing.F) {
	for _, seed := range []struct{ method, target, protocol, block string }{
		{"GET", "/x?y", "HTTP/1.1", "Host: a.test\r\nX: y\r\n\r\n"},
		{"POST", "http://b.test", "HTTP/1.1", "Host: a.test\r\nContent-Length: 5\r\n\r\n"},
		{"POST", "/", "HTTP/1.1", "Host: a.test\r\nTransfer-Encoding: chunked\r\nConnection: Transfer-Encoding, host\r\n\r\n"},
		{"OPTIONS", "*", "HTTP/1.0", "\r\n"},
		{"GET", "/\r\nX: y", "HTTP/1.1", "Host: a.test\nX: y\r\n y\r\n\r\n"},
		{"GET", "/", "HTTP/1.1", "Host: a.test\r\nX-Request-Id: a\r\nTE: trailers;q=1\r\nCookie: \x80\r\n\r\n"},
	} {
		f.Add(seed.method, seed.target, seed.protocol, seed.block)
	}
	s := plain("127.0.0.1:1")
	v1 := s.Services["web"].Variants["v1"]
	v1.StripPrefix, v1.AddPrefix = "/api", "/v2"
	s.Services["web"].Variants["v1"] = v1
	s.Stats = stats.NewRegistry(0)
	table, err := router.Build(router.Options{Services: s.Services})
	if err != nil {
		f.Fatal(err)
	}
	s.Table = table
	s.Limits = config.Limits{Fields: 50, BodySize: 1 << 20}
	snapshot, err := NewSnapshot(s, nil)
	if err != nil {
		f.Fatal(err)
	}
	server := New(Options{})
	server.Swap(snapshot)
	f.Fuzz(func(t *testing.T, method, target, protocol, block string) {
		c := &clientConn{server: server, text: []byte("10.0.0.1")}
		x := c.takeExchange()
		x.in = inbound{method: []byte(method), target: []byte(target), protocol: []byte(protocol), block: []byte(block), length: -2}
		if fields, err := http1.ParseFields([]byte(block), nil, 1000); err == nil {
			// The reader's view of the length is not under test here.
			if x.in.length, err = http1.RequestLength(fields); err == nil && x.in.length != 0 {
				x.in.body = io.NopCloser(nil)
			}
		}
		x.begin()
		if x.guard() != none || x.match() != none {
			return
		}
		x.assign()
		x.pick()
		x.request.Target = x.rewrite(x.variant)
		x.request.Fields = x.requestFields(x.variant)
		sent := http1.AppendRequestHead(nil, &x.request)
		reader := bufio.NewReader(bytes.NewReader(sent))
		m, err := takeHead(reader)
		if err == nil {
			err = m.checkRequest()
		}
		if err != nil {
			t.Fatalf("%v in %q", err, sent)
		}
		if rest, _ := io.ReadAll(reader); len(rest) > 0 {
			t.Fatalf("%q behind the head", rest)
		}
		length, err := m.framing()
		if err != nil || max(length, -1) != max(x.request.Length, -1) && x.request.Length != 0 {
			t.Fatalf("framed by %d, want %d: %v", length, x.request.Length, err)
		}
		for _, name := range []string{"Connection", "Expect", "Upgrade", "Keep-Alive"} {
			if len(m.values(name)) > 0 {
				t.Errorf("%s went up", name)
			}
		}
		if got := m.values("X-Forwarded-For"); len(got) != 1 || got[0] != "10.0.0.1" {
			t.Errorf("X-Forwarded-For %q", got)
		}
	})
}
