package proxy

import (
	"testing"

	"haldane/stats"
)

// While memory is short, new requests and connections are told so, idle connections end, and what is under way goes on.
func TestShed(t *testing.T) {
	o, release := holding(t)
	r := start(t, plain(o.address))
	first, second, idle := r.dial().send(get("/1")), r.dial(), r.dial()
	await(t, "the first request", func() bool { return o.count() == 1 })
	await(t, "all connections", func() bool { return r.server.Numbers().Connections == 3 })
	await(t, "connections that wait", func() bool {
		waiting := 0
		r.server.conns.each(func(c *clientConn) {
			if c.state.Load() == connIdle {
				waiting++
			}
		})
		return waiting == 2
	})
	r.server.shedding.Store(true) // as Shed does, which would close the second connection before it is used
	if got := second.send("POST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n").receive(); got.status() != 503 ||
		got.value("Haldane-Error") != "out of memory" || got.value("Retry-After") != "1" {
		t.Errorf("a request: %q %q", got.line, got.fields)
	}
	r.server.Shed()
	if got := r.dial().receive(); got.status() != 503 || got.value("Haldane-Error") != "out of memory" {
		t.Errorf("a connection: %q %q", got.line, got.fields)
	}
	idle.ends()
	release()
	if got := first.receive(); got.status() != 200 {
		t.Errorf("the request under way: %q", got.line)
	}
	r.server.Resume()
	if got := r.dial().send(get("/3")).receive(); got.status() != 200 {
		t.Errorf("afterwards: %q", got.line)
	}
	clients, numbers := r.stats.Service("web").Clients(), r.server.Numbers()
	if clients.LimitedBy(stats.LimitMemory) != 1 || numbers.ShedConnections != 1 || numbers.RefusedConnections != 0 || r.totals("v1").Failed != 0 {
		t.Errorf("%d requests and %+v", clients.LimitedBy(stats.LimitMemory), numbers)
	}
}
