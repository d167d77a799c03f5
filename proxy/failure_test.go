package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/stats"
)

// Exchanges that fail, as the client sees them and as they are counted.

// A response that breaks off must look broken to the client, and count as broken.
func TestTruncatedResponses(t *testing.T) {
	for _, test := range []struct {
		name, response, then string
		reset                bool
		outcome              stats.Outcome
	}{
		{"length", "200 OK\r\nContent-Length: 10\r\n\r\nhello", "", false, stats.OutcomeTruncated},
		{"length, by reset", "200 OK\r\nContent-Length: 10\r\n\r\nhello", "", true, stats.OutcomeTruncated},
		{"in a chunk", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "", false, stats.OutcomeTruncated},
		{"between chunks", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "", false, stats.OutcomeTruncated},
		{"before the last line", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "", false, stats.OutcomeTruncated},
		{"malformed chunk", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "-5\r\n", false, stats.OutcomeFraming},
	} {
		for _, version := range []string{"1.1", "1.0"} {
			t.Run(test.name+" to HTTP/"+version, func(t *testing.T) {
				sent := make(chan struct{})
				o := newOrigin(t, func(v *visit) {
					v.answer("HTTP/1.1 " + test.response)
					<-sent // the head must be on its way, or the client gets a clean 502
					v.write(test.then)
					if v.reset(); !test.reset {
						_ = v.conn.SetLinger(-1)
					}
				})
				r := start(t, plain(o.address))
				c := r.dial().send("GET / HTTP/" + version + "\r\nHost: a.test\r\n\r\n")
				if _, err := c.reader.Peek(1); err != nil {
					t.Fatal(err)
				}
				close(sent)
				got, err := readResponse(c.reader, "GET")
				if err == nil || got.whole || isSyntax(err) || timedOut(err) {
					t.Errorf("the client took %q for %q, whole %v, error %v", got.line, got.body, got.whole, err)
				}
				await(t, "the outcome", func() bool { return r.totals("v1").Outcomes[test.outcome] == 1 })
			})
		}
	}
}

// Nothing was on its way yet: then a broken response becomes a clean 502, and the connection goes on.
func TestBrokenResponsesBecomeGatewayErrors(t *testing.T) {
	for _, test := range []struct {
		name, response string
		status         int
		what           string
		outcome        stats.Outcome
	}{
		{"nothing", "", 502, "reset", stats.OutcomeReset},
		{"half a status line", "HTTP/1.1 20", 502, "truncated response", stats.OutcomeTruncated},
		{"not HTTP", "\x15\x03\x01\x00\x02\x02F\r\n\r\n", 502, "malformed response", stats.OutcomeFraming},
		{"status 000", "HTTP/1.1 000 X\r\n\r\n", 502, "malformed response", stats.OutcomeFraming},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", 502, "malformed response", stats.OutcomeFraming},
		{"unsolicited 101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\n\r\n", 502, "malformed response", stats.OutcomeFraming},
		{"cut with its head", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 502, "malformed response", stats.OutcomeFraming},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrigin(t, func(v *visit) {
				if v.target() == "/again" {
					v.ok()
					return
				}
				v.answer(test.response)
				v.hangUp()
			})
			r := start(t, plain(o.address))
			c := r.dial().send(get("/"))
			got := c.receive()
			if got.status() != test.status || got.value("Haldane-Error") != test.what {
				t.Errorf("got %q, Haldane-Error %q", got.line, got.value("Haldane-Error"))
			}
			if n := r.totals("v1").Outcomes[test.outcome]; n != 1 {
				t.Errorf("outcome %v was counted %d times", test.outcome, n)
			}
			if c.send(get("/again")).receive().status() != 200 {
				t.Error("the connection did not survive")
			}
		})
	}
}

func TestNoConnectionToTheEndpoint(t *testing.T) {
	r := start(t, plain("127.0.0.1:1"))
	c := r.dial()
	got := c.send(get("/")).receive()
	if got.status() != 502 || got.value("Haldane-Error") != "connect" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	if totals := r.totals("v1"); totals.Outcomes[stats.OutcomeConnect] != 1 || totals.InFlight != 0 {
		t.Errorf("counted %+v", totals)
	}
}

func TestTimeouts(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	o := newOrigin(t, func(v *visit) {
		if v.read(); v.target() == "/body" {
			v.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
		}
		<-hang
		v.hangUp()
	})
	within := func(head, idle time.Duration) *rig {
		v := variantAt(o.address)
		v.Timeouts.ResponseHeader, v.Timeouts.Idle = config.Duration(head), config.Duration(idle)
		return start(t, sections(map[string]config.Variant{"v1": v}))
	}
	silent, stalling := within(50*time.Millisecond, patience), within(patience, 50*time.Millisecond)
	got := silent.dial().send(get("/head")).receive()
	if got.status() != 504 || got.value("Haldane-Error") != "timeout" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	c := stalling.dial().send(get("/body"))
	if got, err := readResponse(c.reader, "GET"); err == nil || got.whole || got.status() != 200 {
		t.Errorf("a body that stalled ended as %+v", got)
	}
	for _, r := range []*rig{silent, stalling} {
		if n := r.totals("v1").Outcomes[stats.OutcomeTimeout]; n != 1 {
			t.Errorf("%d timeouts were counted", n)
		}
	}
}

func TestEveryConnectionInUse(t *testing.T) {
	held, entered := make(chan struct{}), make(chan struct{})
	o := newOrigin(t, func(v *visit) { close(entered); <-held; v.ok() })
	v := variantAt(o.address)
	v.MaxConnections = 1
	r := start(t, sections(map[string]config.Variant{"v1": v}))
	first := r.dial().send(get("/1"))
	<-entered
	got := r.dial().send(get("/2")).receive()
	if got.status() != 503 || got.value("Haldane-Error") != "no connection free" || got.value("Retry-After") != "1" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	close(held)
	if first.receive().status() != 200 || r.totals("v1").Outcomes[stats.OutcomeRefused] != 1 {
		t.Errorf("counted %+v", r.totals("v1"))
	}
}

// The request of a client that has left is ended, and nobody is blamed.
func TestClientLeavesWhileItWaits(t *testing.T) {
	seen := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		v.read()
		_, _ = v.reader.ReadByte() // until the proxy hangs up
		close(seen)
		v.hangUp()
	})
	r := start(t, plain(o.address))
	c := r.dial().send(get("/"))
	await(t, "the request to arrive", func() bool { return o.count() == 1 })
	c.conn.Close()
	select {
	case <-seen:
	case <-time.After(patience):
		t.Fatal("the endpoint still waits")
	}
	await(t, "the outcome", func() bool { return r.totals("v1").Outcomes[stats.OutcomeClientGone] == 1 })
}

// A client that leaves in the middle of a download ends the upload of the endpoint too.
func TestClientLeavesInADownload(t *testing.T) {
	ended := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for !v.ended {
			v.write("400\r\n" + strings.Repeat("x", 1024) + "\r\n")
		}
		close(ended)
	})
	r := start(t, plain(o.address))
	c := r.dial().send(get("/"))
	if _, err := io.CopyN(io.Discard, c.reader, 1<<20); err != nil {
		t.Fatal(err)
	}
	c.conn.Close()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the endpoint still sends")
	}
	await(t, "the outcome", func() bool { return r.totals("v1").Outcomes[stats.OutcomeClientGone] == 1 })
}
