//go:build !race

package stats

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Whatever the request path calls allocates nothing once the cells are there.
func TestRecordingAllocatesNothing(t *testing.T) {
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(1, canary, stable)
	s.Budget().Arm(Arming{Limits: Limits{Failed: 1 << 60, Excess: 1 << 40, Slow: 1 << 60, SlowAfter: 1, Users: 1000}, Trip: func() {}})
	s.SetKinds(NewKinds([]StatusRange{{500, 599}}, []Kind{{Statuses: []StatusRange{{429, 429}}}}))
	s.SetMeasures([]Measure{{Name: "basket", Field: "X-B", Largest: 100}})
	method, basket := []byte("GET"), []byte("12.50")
	var i uint64
	var buffers [2][]Bucket
	for name, call := range map[string]func(){
		"Begin and End of a success": func() {
			canary.Begin(i).End(Record{
				Outcome: OutcomeOK, Status: 200, Method: MethodOf(method), FirstByte: 3 * time.Millisecond,
				BytesIn: 10, BytesOut: 1 << 20, Lane: Judged(1, 1),
			})
		},
		"Begin and End of a failure": func() {
			canary.Begin(i).End(Record{Outcome: OutcomeServerError, Status: 500, FirstByte: time.Millisecond, Lane: Judged(1, 1)})
		},
		"Begin and End with events": func() {
			outcome, events := s.Kinds().Classify(OutcomeOK, 429)
			lane := Judged(1, 1).With(events)
			canary.Begin(i).End(Record{Outcome: outcome, Status: 429, FirstByte: time.Millisecond, Lane: lane})
		},
		"Read and Measure": func() {
			var v Values
			s.Measures().Read(0, basket, 1, &v)
			canary.Measure(i, Judged(1, 1), &v)
		},
		"Measured": func() { r.Measured(1) },
		"Events":   func() { r.Events(1) },
		"Vote":     func() { s.Voters().Vote(i*0x9E3779B97F4A7C15, SideCanary) },
		"Spend":    func() { s.Budget().Purse().Spend() },
		"Slow":     func() { s.Budget().Purse().Slow(time.Second) },
		"Compare": func() {
			s.Budget().Purse().Compare(SideCanary, 0.1)
			s.Budget().Purse().Compare(SideStable, 0.1)
		},
		"Expose": func() { s.Budget().Purse().Expose(i * 0x9E3779B97F4A7C15) },
		"Delta":  func() { r.Delta(1) },
		"Stall":  func() { canary.Stall(i, Judged(1, 1).With(Event(1))) },
		"Latency": func() {
			canary.Begin(i).End(Record{Outcome: OutcomeOK, Status: 200, FirstByte: 3 * time.Millisecond, Lane: Judged(1, 1)})
			buffers[0], buffers[1] = r.Latency(1, buffers[0][:0], buffers[1][:0])
		},
		"Dirty": func() { s.Dirty() },
		"Fill":  func() { s.Voters().Fill() },
	} {
		for range maxShards { // warm every shard
			i++
			call()
		}
		if n := testing.AllocsPerRun(10_000, func() { i++; call() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// grown is how many bytes of memory a call leaves in use.
func grown(call func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	call()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// Thousands of quiet services cost little, and so do those that get a request now and then.
func TestMemoryOfQuietServices(t *testing.T) {
	const services = 5000
	r := NewRegistry(8)
	each := func(do func(*Variant)) int64 {
		return grown(func() {
			for i := range services {
				s := r.Service(fmt.Sprint("service ", i))
				do(s.Variant("v1"))
				do(s.Variant("v2"))
			}
		}) / services
	}
	quiet := each(func(*Variant) {})
	one := each(func(v *Variant) {
		v.Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: 20 * time.Millisecond})
	})
	t.Logf("a quiet service with two variants takes %d bytes, one request on each variant adds %d", quiet, one)
	if quiet > 2<<10 {
		t.Errorf("a quiet service with two variants takes %d bytes", quiet)
	}
	if one > 6<<10 {
		t.Errorf("one request on each variant takes %d bytes", one)
	}
	runtime.KeepAlive(r)
}

// A running rollout, with requests in every lane that it uses and latencies over two decades, keeps within 256 KiB.
func TestMemoryOfRollout(t *testing.T) {
	r := NewRegistry(1) // as many shards as processors
	rng := rand.New(rand.NewPCG(21, 22))
	size := grown(func() {
		s := r.Service("shop")
		canary, stable := s.Variant("v2"), s.Variant("v1")
		for revision := uint64(1); revision <= 4; revision++ {
			reader := s.Reader(revision, canary, stable)
			for range 20_000 {
				lane := Judged(1, revision)
				if s.Voters().Vote(rng.Uint64(), SideCanary); rng.IntN(4) == 0 {
					lane = Unjudged
				}
				shard := rng.Uint64()
				d := time.Duration(float64(10*time.Millisecond) * (0.3 + 3*rng.ExpFloat64()))
				canary.Begin(shard).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: d, Lane: lane})
				stable.Begin(shard).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: d, Lane: lane})
			}
			reader.Delta(1)
			reader.Latency(1, nil, nil)
		}
	})
	t.Logf("%d KiB with %d shards", size>>10, r.shards)
	if limit := int64(128<<10 + r.shards*64<<10); size > limit {
		t.Errorf("a rollout takes %d bytes with %d shards, want at most %d", size, r.shards, limit)
	}
	runtime.KeepAlive(r)
}

// Recording is to cost at most 30 ns per request. A shared machine may be slow at any moment, so the test takes the best of many
// short runs; and a slow machine is allowed six atomic additions, of which a request needs three, and one more with a body.
func TestRecordingIsQuick(t *testing.T) {
	const requests, runs, limit, additions = 2000, 8000, 30, 6
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	s.Reader(1, canary, stable)
	// The calls stand in the loop itself, as they stand in the proxy: a function around them would be measured with them.
	record := func(r *Record) time.Duration {
		status, since, in, out := r.Status, r.FirstByte, r.BytesIn, r.BytesOut
		start := time.Now()
		for i := range requests {
			canary.Begin(0).End(Record{
				Outcome: OutcomeOK, Status: status, Method: MethodGet, FirstByte: since + time.Duration(i&0xfff)*time.Microsecond,
				BytesIn: in, BytesOut: out, Lane: Judged(1, 1),
			})
		}
		return time.Since(start)
	}
	var cell atomic.Uint64
	add := func() time.Duration {
		start := time.Now()
		for range requests {
			cell.Add(1)
		}
		return time.Since(start)
	}
	kinds := []struct {
		name      string
		record    Record
		additions float64
		best      time.Duration
	}{
		{"plain", Record{Status: 200, BytesOut: 2000}, additions, time.Hour},
		{"with a body", Record{Status: 200, BytesIn: 100, BytesOut: 2000}, additions + 1, time.Hour},
		{"not found", Record{Status: 404, BytesOut: 2000}, additions, time.Hour},
		{"late and large", Record{Status: 200, FirstByte: 400 * time.Millisecond, BytesOut: 400 << 10}, additions, time.Hour},
	}
	addition := time.Hour
	for range runs {
		addition = min(addition, add())
		for i := range kinds {
			kinds[i].best = min(kinds[i].best, record(&kinds[i].record))
		}
	}
	per := func(best time.Duration) float64 { return float64(best) / requests }
	for _, k := range kinds {
		t.Logf("%s: %.1f ns, %.1f atomic additions", k.name, per(k.best), per(k.best)/per(addition))
		if got := per(k.best); got > limit && got > k.additions*per(addition) {
			t.Errorf("recording takes %.1f ns per request, want at most %d, or %v atomic additions", got, limit, k.additions)
		}
	}
}
