package proxy

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"haldane/config"
	"haldane/stats"
)

// However many clients ask at the same time, no kind of budget is exceeded by more than what was in flight when it was reached.
func TestBudgetIsExceededByWhatIsInFlightAlone(t *testing.T) {
	const clients = 8
	random := rand.New(rand.NewPCG(11, 12))
	for _, kind := range []struct {
		name   string
		limits func(n uint64) stats.Limits
		path   string
		spent  func(b *stats.Budget) uint64
	}{
		{"failed", func(n uint64) stats.Limits { return stats.Limits{Failed: n} }, "/worse", (*stats.Budget).Spent},
		{"excess", func(n uint64) stats.Limits { return stats.Limits{Excess: n} }, "/worse", func(b *stats.Budget) uint64 {
			return uint64(b.Losses().Excess)
		}},
		{"slow", func(n uint64) stats.Limits { return stats.Limits{Slow: n, SlowAfter: 1} }, "/", func(b *stats.Budget) uint64 {
			return b.Losses().Slow
		}},
		{"users", func(n uint64) stats.Limits { return stats.Limits{Users: n, UsersEnd: true} }, "/", func(b *stats.Budget) uint64 {
			return b.Losses().Users
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			limit := 1 + random.Uint64N(40)
			r, budget, revocation := charged(t, func(s *config.Service) { s.Sticky.Issue = false }, kind.limits(limit))
			var wg sync.WaitGroup
			for client := range clients {
				wg.Go(func() {
					for i := 0; !revocation.Revoked() && i < 500; i++ {
						r.dial().send(get(kind.path, fmt.Sprintf("Cookie: user=%d-%d", client, i))).receive()
					}
				})
			}
			wg.Wait()
			if got := kind.spent(budget); got < limit || got >= limit+clients {
				t.Errorf("spent %d of %d with %d in flight", got, limit, clients)
			}
			if got := r.totals("v2").Requests; got >= limit+clients {
				t.Errorf("%d requests reached the canary, with a budget of %d and %d in flight", got, limit, clients)
			}
		})
	}
}
