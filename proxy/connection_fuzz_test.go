package proxy

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// FuzzConnection sends any bytes over a connection. What reaches the endpoint is well-formed (the origin looks), and where
// another reader of requests can read the same bytes, it finds the same requests in them: nobody sees one that another
// takes for a body (RFC 9112 section 11.2). What reaches the client is well-formed, too.
func FuzzConnection(f *testing.F) {
	for _, seed := range []string{
		get("/a"), get("/a") + get("/b"), "\r\n" + get("/a"), get("/a", "Connection: close, x", "X: y") + get("/b"),
		"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello" + get("/b"),
		"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		postChunked + "5;a=b\r\nhello\r\n0\r\nX-T: v\r\n\r\n" + get("/b"), postChunked + "5\r\nhel", postChunked + "0\r\n\r\n\n",
		"GET http://b.test/x HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"POST /p HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
	} {
		f.Add(seed, uint16(len(seed)/2))
	}
	f.Fuzz(func(t *testing.T, raw string, split uint16) {
		if len(raw) > 64<<10 {
			return
		}
		o := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") })
		s := plain(o.address)
		s.Limits.BodySize = 1 << 20
		s.Timeouts.Header, s.Timeouts.Idle, s.Timeouts.Body = config.Duration(time.Second), config.Duration(time.Second), config.Duration(time.Second)
		r := start(t, s)
		c := r.dial()
		at := int(split) % (len(raw) + 1)
		go func() {
			_, _ = io.WriteString(c.conn, raw[:at])
			_, _ = io.WriteString(c.conn, raw[at:])
			_ = c.conn.CloseWrite()
		}()
		answers := readAnswers(t, c, raw)
		c.conn.Close()
		if err := r.shutdown(); err != nil {
			t.Error(err)
		}
		compareRequests(t, o, raw)
		if o.count() > answers {
			t.Errorf("%d requests, %d answers", o.count(), answers)
		}
	})
}

// readAnswers reads all there is and says how many final answers there were. An answer to HEAD is told from one to another
// method only by who has sent it, so that such connections are only read to their end.
func readAnswers(t *testing.T, c *client, raw string) int {
	t.Helper()
	if strings.Contains(raw, "HEAD") {
		_, _ = io.Copy(io.Discard, c.reader)
		return 1 << 30
	}
	for n := 0; ; {
		m, err := readResponse(c.reader, "GET")
		if isSyntax(err) {
			t.Fatalf("to the client: %v", err)
		}
		if timedOut(err) {
			t.Fatal("the connection never ended")
		}
		if err != nil {
			return n
		}
		if m.status() >= 200 {
			n++
		}
	}
}

// compareRequests compares what reached the endpoint with what net/http reads from the same bytes. Where net/http finds
// nothing it can read, no more is said.
func compareRequests(t *testing.T, o *origin, raw string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	reader := bufio.NewReader(strings.NewReader(raw))
	for i, got := range o.requests {
		want, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(want.Body)
		if err != nil {
			return
		}
		if method := strings.Split(got.line, " ")[0]; method != want.Method || got.body != string(body) {
			t.Fatalf("request %d of %q: %s %q, net/http has %s %q", i, raw, method, got.body, want.Method, body)
		}
	}
}
