package proxy

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/stats"
)

// Bodies on their way up.

const postChunked = "POST /p HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

// An upload that the client does not finish must never be a complete request for the endpoint.
func TestTruncatedUploads(t *testing.T) {
	for _, test := range []struct{ name, raw string }{
		{"length", "POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello"},
		{"nothing of a length", "POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"},
		{"in a chunk", postChunked + "5\r\nhel"},
		{"between chunks", postChunked + "5\r\nhello\r\n"},
		{"after the last chunk", postChunked + "5\r\nhello\r\n0\r\n"},
		{"in the last line", postChunked + "5\r\nhello\r\n0\r\n\r"},
		{"in a trailer", postChunked + "5\r\nhello\r\n0\r\nX-T: v\r\n"},
	} {
		for _, end := range []string{"half-closes", "closes", "resets", "stalls"} {
			t.Run(test.name+" "+end, func(t *testing.T) {
				o := newOrigin(t, nil)
				s := plain(o.address)
				s.Timeouts.Body = config.Duration(100 * time.Millisecond)
				r := start(t, s)
				c := r.dial().send(test.raw)
				switch end {
				case "half-closes":
					_ = c.conn.CloseWrite()
				case "closes":
					c.conn.Close()
				case "resets":
					_ = c.conn.SetLinger(0)
					c.conn.Close()
				case "stalls":
					if got := c.receive().status(); got != 408 {
						t.Errorf("status %d", got)
					}
					c.conn.Close()
				}
				if err := r.shutdown(); err != nil {
					t.Error(err)
				}
				if n := o.count(); n > 0 {
					t.Errorf("the endpoint took %q for complete", o.last().body)
				}
				totals := r.totals("v1")
				if totals.Failed > 0 || totals.InFlight > 0 || totals.Requests != totals.Outcomes[stats.OutcomeClientGone] {
					t.Errorf("counted %+v", totals)
				}
			})
		}
	}
}

func TestUploads(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	c := r.dial()
	for _, test := range []struct{ raw, body string }{
		{"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello", "hello"},
		{"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n", ""},
		{"POST /p HTTP/1.1\r\nHost: a.test\r\n\r\n", ""},
		{postChunked + "5;a=b\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world"},
		{postChunked + "0\r\n\r\n", ""},
		{"GET /g HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi", "hi"},
		{"DELETE /g HTTP/1.1\r\nHost: a.test\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\nhi", "hi"},
		{"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000), strings.Repeat("x", 100000)},
	} {
		if got := c.send(test.raw).receive(); got.status() != 200 || got.value("Connection") != "" {
			t.Fatalf("%.40q: got %q, %q", test.raw, got.line, got.value("Connection"))
		}
		if got := o.last().body; got != test.body {
			t.Errorf("%.40q: endpoint got %.40q", test.raw, got)
		}
	}
	if totals := r.totals("v1"); totals.BytesIn != 5+11+2+2+100000 || totals.BytesOut != 8*2 {
		t.Errorf("counted %d bytes in, %d out", totals.BytesIn, totals.BytesOut)
	}
}

func TestBodySizeIsBounded(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	s.Limits.BodySize = 10
	r := start(t, s)
	for _, raw := range []string{
		"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\nhello worlds",
		"POST /p HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
		postChunked + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	} {
		c := r.dial().send(raw)
		if got := c.receive(); got.status() != 413 || got.value("Connection") != "close" {
			t.Errorf("%q: got %q", raw, got.line)
		}
		c.ends()
	}
	if o.count() > 0 {
		t.Error("a body over the limit reached the endpoint whole")
	}
	if got := r.dial().send(postChunked + "a\r\nhello worl\r\n0\r\n\r\n").receive(); got.status() != 200 {
		t.Errorf("a body at the limit: %q", got.line)
	}
}

// The client is told to go on exactly when its body is wanted, and once.
func TestExpectContinue(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	web := s.Services["web"]
	web.Match = []config.Match{{Host: "a.test"}}
	s.Services["web"] = web
	r := start(t, s)
	for _, framing := range []struct{ field, body string }{
		{"Content-Length: 5", "hello"}, {"Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"},
	} {
		head := "POST /p HTTP/1.1\r\nHost: a.test\r\nexpect: 100-Continue\r\n" + framing.field + "\r\n\r\n"
		c := r.dial()
		for range 2 {
			if got := c.send(head).receive(); got.status() != 100 {
				t.Fatalf("got %q", got.line)
			}
			if got := c.send(framing.body).receive(); got.status() != 200 || o.last().body != "hello" || len(o.last().values("Expect")) > 0 {
				t.Errorf("got %q, the endpoint %q", got.line, o.last().fields)
			}
		}
		if got := c.send(head, framing.body, get("/next")).receive(); got.status() != 200 {
			t.Errorf("a body that is there needs no 100, got %q", got.line)
		}
		if got := c.receive(); got.status() != 200 || o.last().target() != "/next" {
			t.Errorf("the request behind it got %q", got.line)
		}
		refused := r.dial().send(strings.Replace(head, "a.test", "b.test", 1))
		if got := refused.receive(); got.status() != 404 || got.value("Connection") != "close" {
			t.Errorf("got %q", got.line)
		}
		refused.ends()
	}
}

// An answer that comes before the body is through reaches the client, and what follows is not taken for a request.
func TestEarlyAnswer(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, v.reader)
		v.hangUp()
	})
	r := start(t, plain(o.address))
	for _, head := range []string{
		"Content-Length: 100000000", "Transfer-Encoding: chunked", "Content-Length: 100000000\r\nExpect: 100-continue",
		"Transfer-Encoding: chunked\r\nExpect: 100-continue",
	} {
		c := r.dial().send("POST /p HTTP/1.1\r\nHost: a.test\r\n" + head + "\r\n\r\n")
		got := c.receive()
		if got.status() == 100 {
			got = c.receive() // either may come first; nothing may come behind the final one
		}
		if got.status() != 401 || got.body != "no" || got.value("Connection") != "close" {
			t.Errorf("%s: got %q %q", head, got.line, got.fields)
		}
		c.ends()
	}
	if n := r.totals("v1").Outcomes[stats.OutcomeOK]; n != 4 {
		t.Errorf("%d good answers were counted", n)
	}
}

// A client that goes on sending after a refusal still reads it: the connection is not reset under it.
func TestRefusalSurvivesTheUpload(t *testing.T) {
	s := plain("127.0.0.1:1")
	s.Limits.BodySize = 1000
	c := start(t, s).dial()
	c.send("POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000000\r\n\r\n")
	piece := strings.Repeat("x", 64<<10)
	for range 8 {
		if _, err := io.WriteString(c.conn, piece); err != nil {
			break
		}
	}
	if got := c.receive(); got.status() != 413 {
		t.Errorf("got %q", got.line)
	}
}

// Large bodies pass in both directions at the same time and arrive as they were.
func TestLargeBodiesBothWays(t *testing.T) {
	const size = 32 << 20
	o := newOrigin(t, func(v *visit) {
		// An echo: the answer begins before the request ends.
		v.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		buffer := make([]byte, 10000)
		for rest := int64(size); rest > 0; {
			n, err := v.reader.Read(buffer[:min(int64(len(buffer)), rest)])
			if err != nil {
				t.Error(err)
				break
			}
			rest -= int64(n)
			v.write(fmt.Sprintf("%x\r\n%s\r\n", n, buffer[:n]))
		}
		v.write("0\r\n\r\n")
	})
	c := start(t, plain(o.address)).dial()
	pattern := bytes.Repeat([]byte("0123456789abcdef!"), 4096)
	sum := sha256.New()
	go func() {
		w := bufio.NewWriter(c.conn)
		fmt.Fprintf(w, "POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n", size)
		for rest := size; rest > 0; rest -= len(pattern) {
			_, _ = w.Write(pattern[:min(rest, len(pattern))])
		}
		_ = w.Flush()
	}()
	for rest := size; rest > 0; rest -= len(pattern) {
		sum.Write(pattern[:min(rest, len(pattern))])
	}
	got := c.receive()
	if len(got.body) != size || sha256.Sum256([]byte(got.body)) != [32]byte(sum.Sum(nil)) {
		t.Errorf("%d octets came back changed", len(got.body))
	}
}

// An endpoint that does not read stops the client, not the proxy's memory; and the limit on writes ends it.
func TestEndpointDoesNotRead(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	o := newOrigin(t, func(v *visit) { <-hang; v.hangUp() })
	v := variantAt(o.address)
	v.Timeouts.Idle = config.Duration(200 * time.Millisecond)
	r := start(t, sections(map[string]config.Variant{"v1": v}))
	c := r.dial().send("POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\n")
	piece, sent := make([]byte, 64<<10), 0
	for {
		n, err := c.conn.Write(piece)
		if sent += n; err != nil {
			break
		}
		if sent > 256<<20 {
			t.Fatal("the proxy takes without end what nobody reads")
		}
	}
	await(t, "the outcome", func() bool { return r.totals("v1").Outcomes[stats.OutcomeTimeout] == 1 })
}

// body keeps its promises whatever the stream behind it does.
func TestBodyErrorsStay(t *testing.T) {
	boom := errors.New("boom")
	conn := &clientConn{}
	var b body
	b.start(conn, io.MultiReader(strings.NewReader("hello"), errorWithData{boom}), -1, 0)
	got, err := io.ReadAll(&b)
	if string(got) != "hellox" || err != boom {
		t.Errorf("read %q, %v", got, err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != boom || b.whole.Load() {
		t.Errorf("then %d, %v", n, err)
	}
	b = body{}
	b.start(conn, strings.NewReader("hello"), -1, 0)
	if _, err := io.ReadAll(&b); err != nil || !b.whole.Load() {
		t.Errorf("a whole body: %v", err)
	}
	conn.broken.Store(brokenByPeer)
	b = body{}
	b.start(conn, strings.NewReader("hello"), -1, 0)
	if _, err := io.ReadAll(&b); err != errBodyCut || b.whole.Load() {
		t.Errorf("an end that came with a broken connection: %v", err)
	}
}

// errorWithData returns an error together with data.
type errorWithData struct{ err error }

func (e errorWithData) Read(p []byte) (int, error) { return copy(p, "x"), e.err }
