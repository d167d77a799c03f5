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

// Targets of match, assign and record together, with one service and with 10,000. The test allows a multiple of them: with 10,000
// services most of the time is waiting for memory, and how long that takes depends on who else uses the caches.
const (
	fewTarget    = 150 * time.Nanosecond
	manyTarget   = 250 * time.Nanosecond
	routingNoise = 5
)

// comers is how many requests take turns, each of another user and for a service drawn at random, so that no cache knows all; one
// proxy has so many at a time that what belongs to a request itself, which has just been read, is in the caches.
const comers, atATime = 1024, 16

// routing is a proxy with so many services (hosts, path prefixes, a pin, a segment, a sticky cookie and a rollout each), and requests
// that its guard has let in.
type routing struct {
	tb      testing.TB
	asked   []inbound // by user
	at      int
	present []*exchange
}

func newRouting(tb testing.TB, services int) *routing {
	tb.Helper()
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
	r := &routing{tb: tb, asked: make([]inbound, comers), present: make([]*exchange, atATime)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range r.asked {
		r.asked[i] = inbound{
			method: []byte("GET"), target: []byte("/api/v1/cart?q=1"), protocol: []byte("HTTP/1.1"), length: -2,
			block: fmt.Appendf(nil, "Host: s%05d.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nCookie: theme=dark; user=%d\r\n\r\n", rng.IntN(services), i),
		}
	}
	for i := range r.present {
		r.present[i] = (&clientConn{server: server, id: 1}).takeExchange()
	}
	for range 2 * comers / atATime {
		r.enter()
		r.route()
	}
	return r
}

// enter takes the next requests through the guard.
func (r *routing) enter() {
	for _, x := range r.present {
		x.in = r.asked[r.at%comers]
		r.at++
		x.begin()
		if f := x.guard(); f != none {
			r.tb.Fatal(f)
		}
	}
}

// route routes those who are present.
func (r *routing) route() {
	for _, x := range r.present {
		route(r.tb, x)
	}
}

// route is match, assign and record.
func route(tb testing.TB, x *exchange) {
	if f := x.match(); f != none {
		tb.Fatal(f)
	}
	x.assign()
	x.variant.counter.Begin(x.conn.id).End(stats.Record{
		Outcome: stats.OutcomeOK, Status: 200, Method: stats.MethodGet, FirstByte: time.Millisecond, BytesOut: 100, Lane: x.lane,
	})
}

// cost is what one request of all users takes, without the guard.
func (r *routing) cost() time.Duration {
	var took time.Duration
	for range comers / atATime {
		r.enter()
		started := time.Now()
		r.route()
		took += time.Since(started)
	}
	return took / comers
}

// BenchmarkRoute is match, assign and record of the same few requests: all that they need is in the caches.
func BenchmarkRoute(b *testing.B) {
	for _, services := range []int{1, 10_000} {
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			r := newRouting(b, services)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				route(b, r.present[i%atATime])
			}
		})
	}
}

// BenchmarkRouteCold is the same for as many services and users in turn as TestRoutingIsQuick has, each time.
func BenchmarkRouteCold(b *testing.B) {
	for _, services := range []int{1, 10_000} {
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			r := newRouting(b, services)
			best := time.Hour
			for b.Loop() {
				best = min(best, r.cost())
			}
			b.ReportMetric(float64(best), "ns/op")
		})
	}
}

// lines is about how many cache lines belong to one service and its user, for routing: of the host, the service, its split and its
// variant, and the cells; footprint is what the tables of 10,000 services take.
const lines, footprint = 21, 64 << 20

// fetch is what one read takes that waits for the one before, where as many lines take turns as with many services. It is the floor: a
// request follows several pointers that nobody knows before.
func fetch() time.Duration {
	const line, laps = 64 / 4, 20
	memory, rng := make([]uint32, footprint/4), rand.New(rand.NewPCG(3, 4))
	order := rng.Perm(footprint / 64)[:comers*lines]
	for i, at := range order {
		memory[at*line] = uint32(order[(i+1)%len(order)] * line)
	}
	took, at := time.Hour, uint32(order[0]*line)
	for range laps {
		started := time.Now()
		for range order {
			at = memory[at]
		}
		took = min(took, time.Since(started))
	}
	return took / time.Duration(len(order))
}

// The cost of requests for services and by users whom the caches do not know.
func TestRoutingIsQuick(t *testing.T) {
	for services, target := range map[int]time.Duration{1: fewTarget, 10_000: manyTarget} {
		r := newRouting(t, services)
		took := time.Hour
		for range 200 { // whatever else the machine does only adds to it
			took = min(took, r.cost())
		}
		t.Logf("%d services: %v, the target is %v; one read of memory that is as cold as that of many services takes %v", services, took, target, fetch())
		if took > routingNoise*target {
			t.Errorf("match, assign and record take %v with %d services, the target is %v", took, services, target)
		}
		if n := testing.AllocsPerRun(100, func() { r.cost() }); n != 0 {
			t.Errorf("%d services: %v allocations", services, n)
		}
	}
}
