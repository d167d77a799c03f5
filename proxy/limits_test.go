package proxy

import (
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"haldane/config"
	"haldane/stats"
)

// limited is sections with limits.
func limited(limits config.ServiceLimits, address string) Sections {
	s := plain(address)
	web := s.Services["web"]
	web.Limits = limits
	s.Services["web"] = web
	return s
}

// barrier is a channel that open closes, at the latest when the test ends: an endpoint that waits for it must not outlast
// a test that has failed. It is made after the endpoint, whose own cleanup waits.
func barrier(t *testing.T, held chan struct{}) (open func()) {
	open = sync.OnceFunc(func() { close(held) })
	t.Cleanup(open)
	return open
}

// holding is an endpoint that answers when it is let.
func holding(t *testing.T) (o *origin, release func()) {
	held := make(chan struct{})
	o = newOrigin(t, func(v *visit) {
		v.read()
		<-held
		v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	return o, barrier(t, held)
}

// The requests of a service beyond its limit wait in order, up to the queue's size and time, and are turned away then. No
// variant is blamed.
func TestServiceLimit(t *testing.T) {
	o, release := holding(t)
	r := start(t, limited(config.ServiceLimits{Requests: 1, Queue: 1, QueueTimeout: config.Duration(patience)}, o.address))
	first := r.dial().send(get("/1"))
	await(t, "the first request", func() bool { return o.count() == 1 })
	second := r.dial().send(get("/2"))
	inside := &r.server.snapshot.Load().shared["web"].inside
	await(t, "the second one in the queue", func() bool { _, waiting := inside.len(); return waiting == 1 })
	third := r.dial()
	for range 2 {
		got := third.send(get("/3")).receive()
		if got.status() != 503 || got.value("Retry-After") != "1" || got.value("Haldane-Error") != "too many requests" {
			t.Errorf("got %q %q", got.line, got.fields)
		}
	}
	if o.count() != 1 {
		t.Errorf("%d requests came through", o.count())
	}
	release()
	if first.receive().status() != 200 || second.receive().status() != 200 || third.send(get("/4")).receive().status() != 200 {
		t.Error("what waited, and what came later, was not served")
	}
	clients := r.stats.Service("web").Clients()
	if got := r.totals("v1"); got.Requests != 3 || got.Failed != 0 || clients.LimitedBy(stats.LimitRequests) != 2 || r.saw(stats.OutcomeRefused) != 2 {
		t.Errorf("counted %+v, %d limited, clients saw %v", got, clients.LimitedBy(stats.LimitRequests), clients.Outcomes())
	}
	await(t, "all to leave", func() bool { n, waiting := inside.len(); return n == 0 && waiting == 0 })
}

func TestServiceLimitQueueTimeout(t *testing.T) {
	o, _ := holding(t)
	r := start(t, limited(config.ServiceLimits{Requests: 1, Queue: 1, QueueTimeout: config.Duration(20 * time.Millisecond)}, o.address))
	r.dial().send(get("/1"))
	await(t, "the first request", func() bool { return o.count() == 1 })
	if got := r.dial().send("POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx").receive(); got.status() != 503 || got.value("Connection") != "close" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	if n := r.stats.Service("web").Clients().LimitedBy(stats.LimitQueue); n != 1 {
		t.Errorf("%d timeouts were counted", n)
	}
}

// A client that has left the queue's wait is not sent on.
func TestServiceLimitClientLeavesTheQueue(t *testing.T) {
	o, release := holding(t)
	r := start(t, limited(config.ServiceLimits{Requests: 1, Queue: 5, QueueTimeout: config.Duration(patience)}, o.address))
	first := r.dial().send(get("/1"))
	await(t, "the first request", func() bool { return o.count() == 1 })
	second := r.dial().send(get("/2"))
	inside := &r.server.snapshot.Load().shared["web"].inside
	await(t, "the second one in the queue", func() bool { _, waiting := inside.len(); return waiting == 1 })
	second.conn.Close()
	release()
	first.receive()
	await(t, "all to leave", func() bool { n, waiting := inside.len(); return n == 0 && waiting == 0 })
	if o.count() != 1 || r.saw(stats.OutcomeClientGone) != 1 {
		t.Errorf("%d requests came through, clients saw %v", o.count(), r.stats.Service("web").Clients().Outcomes())
	}
}

// A client's own limit is its own, and tunnels do not count against it.
func TestClientLimit(t *testing.T) {
	o, release := holding(t)
	r := start(t, limited(config.ServiceLimits{PerClient: 2}, o.address))
	first, second, third := r.dial().send(get("/1")), r.dial().send(get("/2")), r.dial()
	await(t, "two requests", func() bool { return o.count() == 2 })
	got := third.send(get("/3")).receive()
	if got.status() != 429 || got.value("Retry-After") != "1" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	release()
	first.receive()
	second.receive()
	for range 10 {
		if got := third.send(get("/4")).receive(); got.status() != 200 {
			t.Fatalf("later: got %q", got.line)
		}
	}
	if n := r.stats.Service("web").Clients().LimitedBy(stats.LimitClient); n != 1 || r.totals("v1").Failed != 0 {
		t.Errorf("%d were counted", n)
	}
	callers := &r.server.snapshot.Load().shared["web"].callers
	await(t, "all to be forgotten", func() bool {
		callers.mu.Lock()
		defer callers.mu.Unlock()
		return len(callers.count) == 0
	})
	if !callers.enter(netip.MustParseAddr("192.0.2.1"), 1) || callers.enter(netip.MustParseAddr("192.0.2.1"), 1) ||
		!callers.enter(netip.MustParseAddr("192.0.2.2"), 1) {
		t.Error("clients share a limit")
	}
}

// Tunnels are no requests any more, and leave the limits to those.
func TestTunnelsLeaveTheLimits(t *testing.T) {
	o := switching(t, func(v *visit) { _, _ = io.Copy(v.conn, v.reader) })
	r := start(t, limited(config.ServiceLimits{Requests: 1, PerClient: 1}, o.address))
	for range 3 {
		r.dial().open("raw")
		await(t, "it to leave", func() bool {
			inside, _ := r.server.snapshot.Load().shared["web"].inside.len()
			return inside == 0
		})
	}
}
