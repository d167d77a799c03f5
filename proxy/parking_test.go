//go:build linux

package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"haldane/config"
)

// impatient makes a proxy park its connections as soon as it ever does.
func impatient(r *rig) *rig {
	r.server.awake.Add(100 * parkCrowd)
	return r
}

// parked waits until so many connections are parked.
func (r *rig) parked(n int) {
	r.t.Helper()
	await(r.t, fmt.Sprint(n, " parked connections"), func() bool { return r.server.parking.len() == n })
}

// echo answers with the target.
func (v *visit) echo() {
	v.answer(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(v.target()), v.target()))
}

// gone waits until there is no connection.
func (r *rig) gone() {
	r.t.Helper()
	await(r.t, "the connections to be gone", func() bool { return r.server.Numbers().Connections == 0 })
	if n := r.server.parking.len(); n != 0 {
		r.t.Errorf("%d connections are parked that are not there", n)
	}
}

func TestParkTime(t *testing.T) {
	for _, one := range []struct {
		awake int64
		want  time.Duration
	}{
		{0, time.Second}, {512, time.Second}, {513, time.Second / 4}, {1024, time.Second / 4}, {1025, time.Second / 16}, {1 << 40, time.Second / 16},
	} {
		step := int64(one.want / parkSteps)
		for range 1000 {
			since := rand.Int64N(int64(time.Hour))
			at := parkTime(since, one.awake)
			if wait := at - since; wait < int64(one.want) || wait >= int64(one.want)+step || at%step != 0 {
				t.Fatalf("idle since %d, %d awake: parked at %d", since, one.awake, at)
			}
		}
	}
}

// What clients send after a while in the parking is served as ever: at once, in pieces, several requests in one piece.
func TestParkedConversation(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.echo() })
	for name, one := range map[string]struct {
		secured *tls.Config
		preface string
		client  string
	}{
		"plain":          {client: "127.0.0.1"},
		"tls":            {secured: selfSigned(t), client: "127.0.0.1"},
		"proxy protocol": {preface: "PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n", client: "192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{}
			if one.preface != "" {
				options.ProxyProtocol = networks(t, "127.0.0.0/8")
			}
			r := impatient(startAt(t, plain(o.address), options, one.secured))
			c := r.dial()
			conn, reader := net.Conn(c.send(one.preface).conn), c.reader
			if one.secured != nil {
				s := c.secure()
				conn, reader = s, s.reader
			}
			receive := func(want string) {
				t.Helper()
				if m, err := readResponse(reader, "GET"); err != nil || m.status() != 200 || m.body != want {
					t.Fatalf("got %q %q, %v instead of %q", m.line, m.body, err, want)
				}
			}
			say := func(raw string) {
				t.Helper()
				if _, err := io.WriteString(conn, raw); err != nil {
					t.Fatal(err)
				}
			}
			say(get("/first"))
			receive("/first")
			r.parked(1)
			say(get("/a") + get("/b") + get("/c")[:9])
			receive("/a")
			receive("/b")
			say(get("/c")[9:])
			receive("/c")
			r.parked(1)
			for _, b := range []byte(get("/slowly")) {
				say(string(b))
			}
			receive("/slowly")
			r.parked(1)
			say("POST /body HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n")
			say("3\r\nabc\r\n0\r\n\r\n")
			receive("/body")
			if got := o.last(); got.value("X-Forwarded-For") != one.client || got.body != "abc" {
				t.Errorf("the endpoint got %q from %q", got.body, got.value("X-Forwarded-For"))
			}
			r.parked(1)
			conn.Close()
			r.gone()
		})
	}
}

// A client that leaves makes room, however it leaves.
func TestParkedClientLeaves(t *testing.T) {
	o := newOrigin(t, nil)
	for _, secured := range []*tls.Config{nil, selfSigned(t)} {
		s := plain(o.address)
		s.Limits.ConnectionsPerClient = 1
		r := impatient(startAt(t, s, Options{}, secured))
		for _, leave := range []func(*client){
			func(c *client) { c.conn.Close() },
			func(c *client) { _ = c.conn.SetLinger(0); c.conn.Close() },
			func(c *client) { _ = c.conn.CloseWrite() },
		} {
			c := r.dial()
			if secured == nil {
				c.send(get("/")).receive()
			} else {
				c.secure().ask(get("/"))
			}
			r.parked(1)
			leave(c)
			r.gone()
		}
		if n := r.server.Numbers().CrowdedConnections; n != 0 {
			t.Errorf("%d connections found no room", n)
		}
	}
}

// A request whose client closes its sending side right behind it is answered.
func TestParkedLastRequest(t *testing.T) {
	o := newOrigin(t, nil)
	r := impatient(start(t, plain(o.address)))
	c := r.dial()
	c.send(get("/")).receive()
	r.parked(1)
	c.send(get("/last"))
	_ = c.conn.CloseWrite()
	if got := c.receive(); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
	c.ends()
}

// The idle time is counted from the last response, and what was spent in the parking is a part of it. It is that of the
// last request.
func TestParkedIdleTimeout(t *testing.T) {
	o := newOrigin(t, nil)
	for _, secured := range []*tls.Config{nil, selfSigned(t)} {
		s := plain(o.address)
		const limit = 600 * time.Millisecond
		s.Timeouts.Idle = config.Duration(limit)
		r := impatient(startAt(t, s, Options{}, secured))
		c := r.dial()
		var ends func()
		if secured == nil {
			c.send(get("/")).receive()
			ends = c.ends
		} else {
			s := c.secure()
			s.ask(get("/"))
			ends = s.saysGoodbye
		}
		began := time.Now()
		r.parked(1)
		s.Timeouts.Idle, s.Stats = config.Duration(time.Hour), r.stats
		r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
		ends()
		if took := time.Since(began); took < limit-50*time.Millisecond || took > limit+watchEvery+time.Second/2 {
			t.Errorf("an idle connection ended after %v", took)
		}
		r.gone()
	}
}

// The limit of a head begins with its first byte, and not before.
func TestParkedSlowHead(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	const limit = 300 * time.Millisecond
	s.Timeouts.Header = config.Duration(limit)
	r := impatient(start(t, s))
	c := r.dial()
	c.send(get("/")).receive()
	answered := time.Now()
	r.parked(1)
	await(t, "more time than a head has", func() bool { return time.Since(answered) > 2*limit })
	began := time.Now()
	c.send("GET / HT")
	if got := c.receive(); got.status() != 408 {
		t.Errorf("got %q", got.line)
	}
	if took := time.Since(began); took < limit || took > limit+time.Second {
		t.Errorf("a head had %v", took)
	}
}

// A drain ends what is parked as it ends what is idle: not before it has been idle for a moment, with a goodbye under TLS.
func TestParkedDrain(t *testing.T) {
	o := newOrigin(t, nil)
	for _, secured := range []*tls.Config{nil, selfSigned(t)} {
		r := impatient(startAt(t, plain(o.address), Options{}, secured))
		c := r.dial()
		var ends func()
		if secured == nil {
			c.send(get("/")).receive()
			ends = c.ends
		} else {
			s := c.secure()
			s.ask(get("/"))
			ends = s.saysGoodbye
		}
		began := time.Now()
		r.parked(1)
		r.stop()
		ends()
		if took := time.Since(began); took < drainGrace-50*time.Millisecond || took > drainGrace+watchEvery+time.Second/2 {
			t.Errorf("the connection ended %v after its response", took)
		}
		if err := r.shutdown(); err != nil {
			t.Error(err)
		}
	}
}

// In a drain, a parked connection may have one more request, and a drain that is cut short waits for none.
func TestParkedDrainRequestAndCut(t *testing.T) {
	o := newOrigin(t, nil)
	r := impatient(start(t, plain(o.address)))
	busy, idle := r.dial(), r.dial()
	busy.send(get("/")).receive()
	idle.send(get("/")).receive()
	r.parked(2)
	r.stop()
	await(t, "the drain", r.server.draining.Load)
	if got := busy.send(get("/")).receive(); got.status() != 200 || got.value("Connection") != "close" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	busy.ends()
	r.server.Cut()
	began := time.Now()
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the end took %v", took)
	}
}
