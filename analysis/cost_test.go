//go:build !race

package analysis

import (
	"math"
	"testing"
	"time"
)

// best is the shortest time that one of some calls takes: what it costs without its neighbours on the machine.
func best(calls int, f func()) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for range calls {
		began := time.Now()
		f()
		shortest = min(shortest, time.Since(began))
	}
	return shortest
}

// A busy tick, with latency and the verdict, may take 50 us and a quiet one 1 us. Machines differ, so both are measured in
// logarithms: 1,000 of them take 10 to 20 us.
func TestTicksAreCheap(t *testing.T) {
	sum := 0.0
	unit := best(200, func() {
		for i := range 1000 {
			sum += math.Log1p(float64(i) * 1e-4)
		}
	})
	s, blocks := busyJudge(t, Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1})
	withLatency(s, blocks)
	const period = 20 // with a new picture of stable in it
	busy := best(20, func() {
		for range period {
			s.now = s.now.Add(tick)
			s.j.Observe(s.now, blocks)
			_ = s.j.Verdict()
		}
	}) / period
	quiet := best(200, func() {
		for range 100 {
			s.now = s.now.Add(time.Millisecond)
			s.j.Observe(s.now, nil)
			_ = s.j.Verdict()
		}
	}) / 100
	t.Logf("1,000 logarithms %v, a busy tick %v, a quiet one %v (%v)", unit, busy, quiet, sum > 0)
	if busy > 5*unit {
		t.Errorf("a busy tick takes %v, %.1f times 1,000 logarithms (%v)", busy, float64(busy)/float64(unit), unit)
	}
	if quiet > unit/20 {
		t.Errorf("a quiet tick takes %v, 1,000 logarithms %v", quiet, unit)
	}
}
