package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// A request whose client thinks before it sends its body reaches the endpoint, and then the body does, every byte of it.
func TestHeadGoesOnBeforeTheBody(t *testing.T) {
	arrived := make(chan struct{}, 1)
	o := newOrigin(t, func(v *visit) { arrived <- struct{}{}; v.ok() })
	r := start(t, plain(o.address))
	c := r.dial()
	for _, size := range []int{1, 2, 100, 70_000} {
		for _, fields := range []string{"", "Expect: 100-continue\r\n"} {
			payload := strings.Repeat("x", size-1) + "y"
			c.send(fmt.Sprintf("POST /p HTTP/1.1\r\nHost: a.test\r\n%sContent-Length: %d\r\n\r\n", fields, size))
			<-arrived
			if fields != "" {
				if got := c.receive().status(); got != 100 {
					t.Errorf("status %d", got)
				}
			}
			c.send(payload)
			if got := c.receive().status(); got != 200 {
				t.Errorf("size %d: status %d", size, got)
			}
			if got := o.last(); got.body != payload {
				t.Errorf("size %d: %d octets came", size, len(got.body))
			}
		}
	}
}

// An answer to the head alone reaches a client that has sent nothing else, and ends the connection: what may still come
// is no request.
func TestAnswerToHeadAlone(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		v.hangUp()
	})
	r := start(t, plain(o.address))
	c := r.dial().send("POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 40\r\n\r\n")
	if got := c.receive().status(); got != 401 {
		t.Errorf("status %d", got)
	}
	c.ends()
	if n := o.count(); n > 0 {
		t.Errorf("%d whole requests reached the endpoint", n)
	}
}

// Chunk extensions are bounded, wherever they stand; tiny chunks are not taken for extensions.
func TestChunkExtensionsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name, chunks string
		status       int
	}{
		{"one that is large", "5;a=" + strings.Repeat("x", 200_000) + "\r\nhello\r\n0\r\n\r\n", 400},
		{"on the last chunk", "5\r\nhello\r\n0;a=" + strings.Repeat("x", 200_000) + "\r\n\r\n", 400},
		{"many that are small", strings.Repeat("1;name=\"a rather long value\"\r\nx\r\n", 20_000) + "0\r\n\r\n", 400},
		{"a few", strings.Repeat("5;a=b\r\nhello\r\n", 20) + "0\r\n\r\n", 200},
		{"tiny chunks", strings.Repeat("1\r\nx\r\n", 50_000) + "0\r\n\r\n", 200},
		{"large chunks", strings.Repeat("10000\r\n"+strings.Repeat("x", 0x10000)+"\r\n", 20) + "0\r\n\r\n", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrigin(t, nil)
			r := start(t, plain(o.address))
			c := r.dial().send(postChunked)
			go func() { _, _ = c.conn.Write([]byte(test.chunks)) }()
			if got := c.receive().status(); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			if whole := o.count() == 1; whole != (test.status == 200) {
				t.Errorf("%d whole requests reached the endpoint", o.count())
			}
		})
	}
}

// What is too long in a head decides the status, on every request of a connection.
func TestLongTargets(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	long := strings.Repeat("x", 100_000)
	for _, before := range []string{"", get("/before")} {
		for raw, status := range map[string]int{
			"GET /" + long + " HTTP/1.1\r\nHost: a.test\r\n\r\n":          414,
			"GET / HTTP/1.1\r\nHost: a.test\r\nX-A: " + long + "\r\n\r\n": 431,
		} {
			c := r.dial()
			if before != "" {
				c.send(before).receive()
			}
			if got := c.send(raw).receive().status(); got != status {
				t.Errorf("status %d, want %d", got, status)
			}
		}
	}
}
