package http1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemoveHopByHop(t *testing.T) {
	for _, c := range []struct {
		name     string
		in, want Fields
	}{
		{"nothing to do", fields("Host: a", "X-A: 1"), fields("Host: a", "X-A: 1")},
		{"known ones", fields("Keep-Alive: timeout=5", "proxy-connection: keep-alive", "UPGRADE: h2c", "Trailer: X-T", "Transfer-Encoding: chunked",
			"Connection: close", "X-A: 1"), fields("X-A: 1")},
		{"named, before and after", fields("x-hop: 1", "Connection: X-Hop", "X-HOP: 2", "X-Hope: 3"), fields("X-Hope: 3")},
		{"two lines", fields("Connection: x-hop1", "X-Hop1: 1", "X-Hop2: 1", "connection: x-hop2"), nil},
		{"empty first line", fields("Connection: ", "Connection: , ,x-hop ,", "X-Hop: 1", "A: b"), fields("A: b")},
		{"framing and host stay", fields("Connection: host, content-length, HOST", "Host: a", "Content-Length: 5"), fields("Host: a", "Content-Length: 5")},
		{"TE keeps trailers", fields("Connection: TE", "Te: deflate;q=0.5, Trailers", "TE: trailers"), fields("Te: Trailers")},
		{"TE without trailers", fields("TE: gzip", "TE: trailers;q=1"), nil},
		{"upgrade settings", fields("Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: x", "Upgrade: h2c"), nil},
	} {
		got := RemoveHopByHop(c.in, nil)
		if diff := cmp.Diff(lines(c.want), lines(got)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		for _, f := range c.in {
			if EqualFold(f.Name, "TE") {
				continue
			}
			if kept := got.Count(string(f.Name)) > 0; kept == HopByHop(c.in, f.Name) {
				t.Errorf("%s: HopByHop and RemoveHopByHop differ about %s", c.name, f.Name)
			}
		}
	}
}
