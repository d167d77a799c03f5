package stats

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAddition is what the cost of recording is made of: one atomic addition that nobody contends for.
func BenchmarkAddition(b *testing.B) {
	var n atomic.Uint64
	for b.Loop() {
		n.Add(1)
	}
}

// BenchmarkRecord is the whole cost of recording a judged request. The target is 30 ns; three additions are part of it, and a
// fourth if the request has a body.
func BenchmarkRecord(b *testing.B) {
	for name, in := range map[string]int64{"get": 0, "post": 100} {
		b.Run(name, func(b *testing.B) { benchmarkRecord(b, in) })
	}
}

func benchmarkRecord(b *testing.B, in int64) {
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	s.Reader(7, canary, stable)
	rec := Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, BytesIn: in, BytesOut: 2000, Lane: Judged(1, 7)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		rec.FirstByte = time.Duration(i&0xfff) * time.Microsecond
		canary.Begin(0).End(rec)
	}
}

// BenchmarkRecordEvent is the same for a request with an event, and with its classification.
func BenchmarkRecordEvent(b *testing.B) {
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	s.SetKinds(NewKinds([]StatusRange{{500, 599}}, []Kind{{Statuses: []StatusRange{{429, 429}}}}))
	s.Reader(7, canary, stable)
	for name, status := range map[string]int{"none": 200, "one": 429} {
		b.Run(name, func(b *testing.B) {
			rec := Record{Status: status, Method: MethodGet, BytesOut: 2000, Lane: Judged(1, 7)}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				rec.FirstByte = time.Duration(i&0xfff) * time.Microsecond
				outcome, events := s.Kinds().Classify(OutcomeOK, status)
				rec.Outcome, rec.Lane = outcome, Judged(1, 7).With(events)
				canary.Begin(0).End(rec)
			}
		})
	}
}

// BenchmarkRecordParallel has every core record on the same variant, each on its own shard.
func BenchmarkRecordParallel(b *testing.B) {
	s := NewRegistry(0).Service("shop")
	v := s.Variant("v2")
	var next uint64
	b.ReportAllocs()
	ids := make(chan uint64, 1024)
	for range 1024 {
		ids <- next
		next++
	}
	b.RunParallel(func(pb *testing.PB) {
		rec := Record{
			Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: 1234 * time.Microsecond,
			BytesOut: 2000, Lane: Judged(1, 7),
		}
		id := <-ids
		for pb.Next() {
			v.Begin(id).End(rec)
		}
	})
}

// BenchmarkVote is a vote of a user who has voted already, which is what most requests of sticky users are.
func BenchmarkVote(b *testing.B) {
	v := NewRegistry(0).Service("shop").Voters()
	b.ReportAllocs()
	for i := uint64(1); b.Loop(); i++ {
		v.Vote(i&0xff+1, SideCanary)
	}
}

// BenchmarkReader is what a tick costs for a busy service, without the verdict.
func BenchmarkReader(b *testing.B) {
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(7, canary, stable)
	for i := range uint64(8) {
		canary.Begin(i).End(Record{Outcome: OutcomeOK, Lane: Judged(1, 7)})
		stable.Begin(i).End(Record{Outcome: OutcomeOK, Lane: Judged(1, 7)})
	}
	b.ReportAllocs()
	for b.Loop() {
		for stratum := 1; stratum <= Strata; stratum++ {
			r.Delta(stratum)
		}
	}
}

// BenchmarkLatency is one look at the latencies of both sides, with and without news.
func BenchmarkLatency(b *testing.B) {
	s := NewRegistry(2).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(1, canary, stable)
	rng := rand.New(rand.NewPCG(7, 8))
	record := func(n int) {
		for range n {
			rec := Record{Outcome: OutcomeOK, Status: 200, Lane: Judged(1, 1)}
			rec.FirstByte = time.Duration(float64(5*time.Millisecond) * (0.5 + rng.ExpFloat64()))
			canary.Begin(rng.Uint64()).End(rec)
			stable.Begin(rng.Uint64()).End(rec)
		}
	}
	var c, v []Bucket
	for _, news := range []int{0, 1000} {
		record(1000)
		c, v = r.Latency(1, c[:0], v[:0])
		b.Run(fmt.Sprintf("%d requests", news), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if news > 0 {
					b.StopTimer()
					record(news)
					b.StartTimer()
				}
				c, v = r.Latency(1, c[:0], v[:0])
			}
		})
	}
}
