//go:build !race

package stats

import (
	"testing"
	"time"
)

// What a budget of every kind costs a canary request that is in order, of a user who was there before: two looks, and no atomic
// addition. The best of many runs counts; see TestRecordingIsQuick.
func TestQuickRequestsCostTheBudgetNothing(t *testing.T) {
	const requests, runs, limit = 2000, 1000, 15
	var b Budget
	b.Arm(Arming{
		Limits: Limits{Failed: 1000, Excess: 1000, Slow: 1000, SlowAfter: time.Second, Users: 10_000},
		Trip:   func() { t.Error("tripped") }, Tell: func() { t.Error("told") },
	})
	users := make([]uint64, 256)
	for i := range users {
		users[i] = hashed(uint64(i) + 1)
	}
	best := time.Hour
	for range runs {
		start := time.Now()
		for i := range requests {
			p := b.Purse()
			p.Expose(users[i%len(users)])
			p.Slow(time.Millisecond)
		}
		best = min(best, time.Since(start))
	}
	per := float64(best) / requests
	t.Logf("%.1f ns for each request", per)
	if per > limit {
		t.Errorf("the budget takes %.1f ns of a request in order, want at most %d", per, limit)
	}
	if got := b.Losses(); got.Slow != 0 || got.Users < 250 || got.Users > 256 {
		t.Errorf("%+v", got)
	}
}

// What each charge costs; failures, slow requests and new users are seldom.
func BenchmarkCharge(b *testing.B) {
	var budget Budget
	arming := Arming{Limits: Limits{Failed: 1 << 60, Excess: 1 << 40, Slow: 1 << 60, SlowAfter: 1, Users: 1 << 17}, Trip: func() {}, Tell: func() {}}
	budget.Arm(arming)
	p := budget.Purse()
	for name, charge := range map[string]func(uint64){
		"failed":         func(uint64) { p.Spend() },
		"slow":           func(uint64) { p.Slow(2) },
		"excess, canary": func(uint64) { p.Compare(SideCanary, 0.1) },
		"excess, stable": func(uint64) { p.Compare(SideStable, 0.1) },
		"users":          func(i uint64) { p.Expose(hashed(i)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := uint64(1); b.Loop(); i++ {
				charge(i)
			}
		})
	}
}
