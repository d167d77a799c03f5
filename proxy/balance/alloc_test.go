//go:build !race

package balance

import (
	"math/rand/v2"
	"testing"
	"time"

	"haldane/config"
)

// busy are groups in every state that a request can meet.
func busy() map[string]*Group {
	ramping := New(Options{Endpoints: addresses(8), SlowStart: time.Hour}, nil)
	ramping.Endpoints()[3].condition.since = time.Now()
	ramping.publish(time.Now())
	panicking := New(Options{Endpoints: addresses(8), Health: &config.Health{Unhealthy: 1}}, nil)
	for _, e := range panicking.Endpoints() {
		e.condition.looked(refused(), &config.Health{Unhealthy: 1}, time.Now())
	}
	panicking.publish(time.Now())
	return map[string]*Group{
		"one": ejecting(1, 50*percent), "two": ejecting(2, 50*percent), "eight": ejecting(8, 50*percent),
		"ramping": ramping, "panicking": panicking,
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	for name, g := range busy() {
		not := g.Endpoints()[0]
		n := testing.AllocsPerRun(1000, func() {
			for _, avoided := range []*Endpoint{nil, not} {
				e := g.Pick(rand.Uint64(), avoided)
				e.Report(nil, 200)
				e.Release()
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for name, g := range busy() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := g.Pick(rand.Uint64(), nil)
				e.Report(nil, 200)
				e.Release()
			}
		})
	}
}

func BenchmarkPickInParallel(b *testing.B) {
	g := busy()["eight"]
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g.Pick(rand.Uint64(), nil).Release()
		}
	})
}
