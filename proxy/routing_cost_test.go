//go:build !race

package proxy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// Targets of match, assign and record together, with one service and with 10,000. The test allows a multiple of them: the
// machine may be busy with other things.
const (
	fewTarget    = 150 * time.Nanosecond
	manyTarget   = 250 * time.Nanosecond
	routingNoise = 20
)

// crowdSize is how many requests take turns, each of another user and for a service drawn at random, so that no cache knows all.
const crowdSize = 1024

// routing is requests that have come through the guard, for a proxy with so many services: hosts, path prefixes, a pin, a segment, a
// sticky cookie and a rollout each.
func routing(tb testing.TB, services int) []*exchange {
	s := sections(nil)
	s.Services, s.Stats = make(map[string]config.Service), stats.NewRegistry(0)
	splits := make(map[string]router.SplitSpec)
	for i := range services {
		name := fmt.Sprintf("s%05d", i)
		s.Services[name] = config.Service{
			Match:    []config.Match{{Host: name + ".example.com", PathPrefix: "/api"}, {Host: name + ".example.com", PathPrefix: "/static"}},
			Variants: map[string]config.Variant{"v1": variantAt("127.0.0.1:1"), "v2": variantAt("127.0.0.1:2")}, Stable: "v1", Canary: "v2",
			Pins:   []config.Pin{{Header: "X-Variant"}},
			Sticky: &config.Sticky{Key: config.Key{Cookie: "user"}, Issue: true},
		}
		spec := rollout(5 * percent)
		spec.Segment, spec.Strength = "staff", config.Whole
		splits[name] = spec
	}
	table, err := router.Build(router.Options{
		Services: s.Services, Splits: splits, Segments: map[string]config.Predicate{"staff": {Header: "X-Role", Exact: "staff"}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.Table = table
	snapshot, err := NewSnapshot(s, nil)
	if err != nil {
		tb.Fatal(err)
	}
	server := New(Options{})
	server.Swap(snapshot)
	rng := rand.New(rand.NewPCG(1, 2))
	crowd := make([]*exchange, crowdSize)
	for i := range crowd {
		x := (&clientConn{server: server, id: 1}).takeExchange()
		x.in = inbound{
			method: []byte("GET"), target: []byte("/api/v1/cart?q=1"), protocol: []byte("HTTP/1.1"), length: -2,
			block: fmt.Appendf(nil, "Host: s%05d.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nCookie: theme=dark; user=%d\r\n\r\n", rng.IntN(services), i),
		}
		x.begin()
		if f := x.guard(); f != none {
			tb.Fatal(f)
		}
		crowd[i] = x
		route(tb, x)
	}
	return crowd
}

// route is match, assign and record.
func route(tb testing.TB, x *exchange) {
	if f := x.match(); f != none {
		tb.Fatal(f)
	}
	x.assign()
	x.variant.stats.Begin(x.conn.id)
	x.variant.stats.End(x.conn.id, stats.Record{
		Outcome: stats.OutcomeOK, Status: 200, Method: stats.MethodGet, FirstByte: time.Millisecond, BytesOut: 100, Lane: x.lane,
	})
}

// BenchmarkRoute is match, assign and record together. The targets are 150 ns and 250 ns.
func BenchmarkRoute(b *testing.B) {
	for _, services := range []int{1, 10_000} {
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			crowd := routing(b, services)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				route(b, crowd[i%crowdSize])
			}
		})
	}
}

func TestRoutingIsQuick(t *testing.T) {
	for services, target := range map[int]time.Duration{1: fewTarget, 10_000: manyTarget} {
		crowd := routing(t, services)
		took := time.Hour
		for range 200 { // whatever else the machine does only adds to it
			started := time.Now()
			for _, x := range crowd {
				route(t, x)
			}
			took = min(took, time.Since(started)/crowdSize)
		}
		t.Logf("%d services: %v, the target is %v", services, took, target)
		if took > routingNoise*target {
			t.Errorf("match, assign and record take %v with %d services, the target is %v", took, services, target)
		}
		i := 0
		if n := testing.AllocsPerRun(10*crowdSize, func() { i++; route(t, crowd[i%crowdSize]) }); n != 0 {
			t.Errorf("%d services: %v allocations", services, n)
		}
	}
}
