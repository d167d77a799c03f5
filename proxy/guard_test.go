package proxy

import (
	"strings"
	"testing"

	"haldane/config"
)

// What is refused, and how. Each case is one connection; none may reach the endpoint, now or later on the connection.

func TestRefusedRequests(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	post := "POST /p HTTP/1.1\r\nHost: a.test\r\n"
	chunked := post + "Transfer-Encoding: chunked\r\n\r\n"
	follow := get("/smuggled")
	for _, test := range []struct {
		name, raw string
		status    int
		what      string // part of Haldane-Error
	}{
		{"two lengths that agree", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, ""},
		{"two lengths", post + "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", 400, ""},
		{"list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400, ""},
		{"length with sign", post + "Content-Length: +5\r\n\r\nhello", 400, ""},
		{"empty length", post + "Content-Length:\r\n\r\n", 400, ""},
		{"length over 63 bits", post + "Content-Length: 9223372036854775808\r\n\r\nhello", 400, ""},
		{"length and coding", post + "Content-Length: 45\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "malformed"},
		{"coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400, "malformed"},
		{"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, ""},
		{"identity", post + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 400, "malformed"},
		{"identity alone", post + "Transfer-Encoding: identity\r\n\r\n", 400, "malformed"},
		{"unknown coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, ""},
		{"vertical tab before chunked", post + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400, ""},
		{"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
		{"space before colon", post + "Content-Length : 5\r\n\r\nhello", 400, ""},
		{"space in a name", "GET / HTTP/1.1\r\nHost: a.test\r\nFoo Bar: x\r\n\r\n", 400, "malformed"},
		{"control in a name", "GET / HTTP/1.1\r\nHost: a.test\r\nFo\x01o: x\r\n\r\n", 400, ""},
		{"high bit in a name", "GET / HTTP/1.1\r\nHost: a.test\r\nFo\x80o: x\r\n\r\n", 400, ""},
		{"no colon", "GET / HTTP/1.1\r\nHost: a.test\r\nFoo\r\n\r\n", 400, ""},
		{"NUL in a value", "GET / HTTP/1.1\r\nHost: a.test\r\nFoo: a\x00b\r\n\r\n", 400, ""},
		{"CR in a value", "GET / HTTP/1.1\r\nHost: a.test\r\nFoo: a\rX-Admin: 1\r\n\r\n", 400, ""},
		{"folded line", "GET / HTTP/1.1\r\nHost: a.test\r\nFoo: a\r\n b\r\n\r\n", 400, "malformed"},
		{"line that ends in LF", "GET / HTTP/1.1\r\nHost: a.test\nFoo: a\r\n\r\n", 400, "malformed"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, ""},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n", 400, ""},
		{"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, ""},
		{"user in the host", "GET / HTTP/1.1\r\nHost: u:p@b.test\r\n\r\n", 400, ""},
		{"path in the host", "GET / HTTP/1.1\r\nHost: a.test/evil\r\n\r\n", 400, ""},
		{"junk in the port", "GET / HTTP/1.1\r\nHost: a.test:80x\r\n\r\n", 400, ""},
		{"bad host beside an absolute target", "GET http://a.test/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, ""},
		{"user in the target", "GET http://u:p@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, ""},
		{"unknown scheme", "GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "target"},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "target"},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, ""},
		{"relative target", "GET a HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, ""},
		{"asterisk without OPTIONS", "GET * HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, ""},
		{"CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", 501, "method"},
		{"method that is no token", "G@T / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, ""},
		{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", 505, "version"},
		{"HTTP/9.9", "GET / HTTP/9.9\r\nHost: a.test\r\n\r\n", 505, "version"},
		{"unknown expectation", post + "Expect: y 100-continue\r\nContent-Length: 5\r\n\r\nhello", 417, "expectation"},
		{"too many fields", "GET / HTTP/1.1\r\nHost: a.test\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\n", 431, "fields"},
		{"head too large", "GET / HTTP/1.1\r\nHost: a.test\r\nX: " + strings.Repeat("y", 40<<10) + "\r\n\r\n", 431, "large"},
		{"chunk size with prefix", chunked + "0x5\r\nhello\r\n0\r\n\r\n", 400, "body"},
		{"chunk size over 64 bits", chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n", 400, "body"},
		{"chunk size ends in LF", chunked + "5\nhello\r\n0\r\n\r\n", 400, "body"},
		{"chunk data too long", chunked + "5\r\nhelloXX0\r\n\r\n", 400, "body"},
		{"chunk data ends in LF", chunked + "5\r\nhello\n0\r\n\r\n", 400, "body"},
		{"forbidden trailer", chunked + "5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n", 400, "body"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := r.dial().send(test.raw, follow)
			got := c.receive()
			if got.status() != test.status || !strings.Contains(got.value("Haldane-Error"), test.what) {
				t.Errorf("got %q, Haldane-Error %q", got.line, got.value("Haldane-Error"))
			}
			if got.value("Connection") != "close" || got.body != got.value("Haldane-Error")+"\n" {
				t.Errorf("got fields %q and body %q", got.fields, got.body)
			}
			c.ends()
		})
	}
	if n := o.count(); n > 0 {
		t.Errorf("%d requests reached the endpoint, the last one %q", n, o.last().line)
	}
	if got := r.server.Numbers().Malformed; got == 0 {
		t.Error("nothing was counted")
	}
}

// A good request before a malformed one on the same connection is answered, and in order.
func TestMalformedRequestInAPipeline(t *testing.T) {
	o := newOrigin(t, nil)
	c := start(t, plain(o.address)).dial()
	c.send(get("/one"), get("/two"), "GET /three HTTP/1.1\r\nHost: a.test\r\nBad Name: x\r\n\r\n", get("/four"))
	for _, want := range []int{200, 200, 400} {
		if got := c.receive().status(); got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
	c.ends()
	if got := o.last().target(); got != "/two" || o.count() != 2 {
		t.Errorf("%d requests reached the endpoint, the last one %s", o.count(), got)
	}
}

func TestPipelinedAnswersKeepTheirOrder(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + v.target()[1:4]) })
	c := start(t, plain(o.address)).dial()
	c.send("\r\n", get("/001"), "POST /002 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", get("/003"))
	for _, want := range []string{"001", "002", "003"} {
		if got := c.receive().body; got != want {
			t.Errorf("got the answer %s, want %s", got, want)
		}
	}
}

func TestUnmatchedRequest(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	web := s.Services["web"]
	web.Match = []config.Match{{Host: "a.test"}}
	s.Services["web"] = web
	r := start(t, s)
	c := r.dial().send("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n")
	got := c.receive()
	if got.status() != 404 || got.value("Haldane-Error") != "no service" || len(got.values("Date")) != 1 {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	if c.send("HEAD / HTTP/1.1\r\nHost: b.test\r\n\r\n").receiveTo("HEAD").status() != 404 {
		t.Error("HEAD")
	}
	if c.send("GET / HTTP/1.1\r\nHost: A.TEST.:80\r\n\r\n").receive().status() != 200 {
		t.Error("the connection did not survive a 404")
	}
	if got := r.server.Numbers().Unmatched; got != 2 {
		t.Errorf("%d unmatched requests were counted", got)
	}
}
