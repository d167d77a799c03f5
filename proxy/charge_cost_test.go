//go:build !race

package proxy

import (
	"testing"
	"time"

	"haldane/stats"
)

// A budget of every kind allocates nothing, whatever a request costs it.
func TestChargingAllocatesNothing(t *testing.T) {
	limits := stats.Limits{Failed: 1 << 60, Excess: 1 << 40, Slow: 1 << 60, SlowAfter: time.Nanosecond, Users: 1 << 17}
	for name, end := range map[string]func(*exchange){
		"in order": func(x *exchange) { x.seen(200, x.started); x.settle(none) },
		"slow":     func(x *exchange) { x.seen(200, x.started.Add(time.Second)); x.settle(none) },
		"failed":   func(x *exchange) { x.seen(500, x.started.Add(time.Second)); x.settle(none) },
		"no answer": func(x *exchange) {
			x.started = x.started.Add(-time.Second)
			x.settle(none)
		},
	} {
		for _, fields := range []string{"X-Pin: v2\r\n", "Cookie: user=0123456789abcdef\r\n", ""} {
			x := deciding(t, fields)
			x.server.snapshot.Load().services[0].stats.Budget().Arm(stats.Arming{Limits: limits, Trip: func() {}, Tell: func() {}})
			one := func() { decideAnd(t, x, end) }
			one()
			if n := testing.AllocsPerRun(1000, one); n != 0 {
				t.Errorf("%s, with %q: %v allocations", name, fields, n)
			}
		}
	}
}

// decideAnd is decide with another end.
func decideAnd(tb testing.TB, x *exchange, end func(*exchange)) {
	in := x.in
	x.begin()
	if f := x.guard(); f != none {
		tb.Fatal(f)
	}
	if f := x.match(); f != none {
		tb.Fatal(f)
	}
	x.assign()
	x.pick()
	x.begun()
	end(x)
	x.release()
	x.reset()
	x.in = in
}
