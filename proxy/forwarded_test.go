//go:build !race

package proxy

import (
	"net/netip"
	"testing"
)

// The client of a request behind a trusted proxy is the one that a segment looks at.
func TestClientBehindATrustedProxy(t *testing.T) {
	x := deciding(t, "X-Forwarded-For: 6.6.6.6, 198.51.100.1\r\n")
	x.conn.setClient(netip.MustParseAddr("10.0.0.1"))
	x.server.trustedProxies = networks(t, "10.0.0.0/8")
	for trusted, want := range map[bool]string{true: "198.51.100.1", false: "10.0.0.1"} {
		x.conn.trusted = trusted
		in := x.in
		x.begin()
		if f := x.guard(); f != none || x.view.ClientAddr().String() != want {
			t.Errorf("trusted %v: %v, %v", trusted, f, x.view.ClientAddr())
		}
		x.reset()
		x.in = in
	}
}

// A client behind a trusted proxy costs no allocation either.
func TestIdentifyingAllocatesNothing(t *testing.T) {
	x := deciding(t, "X-Forwarded-For: 6.6.6.6, 198.51.100.1:8080, 10.0.0.3\r\nX-Forwarded-For: 10.0.0.2\r\n")
	x.conn.setClient(netip.MustParseAddr("10.0.0.1"))
	x.conn.trusted, x.server.trustedProxies = true, networks(t, "10.0.0.0/8")
	whole := func() {
		decide(t, x)
		x.kept.sent = x.appendForwarded(x.kept.sent[:0])
	}
	whole()
	if n := testing.AllocsPerRun(1000, whole); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
