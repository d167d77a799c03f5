package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
	"haldane/router"
	"haldane/stats"
	"haldane/store"
)

// Two equally good variants, 900,000 requests through the evidence path (match, assign, record, judge, rollout), on a virtual
// clock: promoted, with no rollback on the way.
func TestEqualVariantsAreNotRolledBack(t *testing.T) {
	const requests, perSecond, failing = 900_000, 3000, 0.005
	cfg, err := config.Parse("test", []byte(`
version: 1
policies:
  test:
    steps: [{weight: 1%, duration: 1m}, {weight: 5%, duration: 1m}, {weight: 20%, duration: 1m}, {weight: 50%, duration: 1m}]
    bake: {duration: 50s}
services:
  shop:
    variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}
    stable: v1
    canary: v2
    policy: test
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		tables := newTables(t, cfg)
		numbers := stats.NewRegistry(1)
		manager, err := rollout.NewManager(rollout.Options{
			Store: store.NewMemory(), Stats: numbers, Splitter: tables, Logger: zap.NewNop(),
		})
		if err != nil {
			t.Fatal(err)
		}
		spec := rollout.Spec{
			Service: "shop", Stable: "v1", Canary: "v2", CanaryIdentity: "x",
			PolicyName: "test", Policy: cfg.Policies["test"], Start: config.StartAuto,
		}
		if err := manager.Configure(time.Now(), []rollout.Spec{spec}, tables.setAll); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- manager.Run(ctx) }()

		variants := []*stats.Variant{numbers.Service("shop").Variant("v1"), numbers.Service("shop").Variant("v2")}
		const batch = perSecond / 20
		for sent := 0; sent < requests; sent += batch {
			for range batch {
				assigned := tables.assign(random.Uint64())
				ending := stats.Record{Outcome: stats.OutcomeOK, Status: 200, Lane: stats.Judged(int(assigned.Stratum), assigned.Split.Revision)}
				if random.Float64() < failing {
					ending.Outcome, ending.Status = stats.OutcomeServerError, 500
				}
				variants[assigned.Variant].Begin(0).End(ending)
			}
			time.Sleep(time.Second / 20) // on the virtual clock
		}
		view, _ := manager.View("shop")
		if view.Phase != rollout.PhasePromoted {
			t.Errorf("phase %v at step %d: %s", view.Phase, view.Step, view.Reason)
		}
		t.Logf("%s after %v: %s", view.Phase, view.Ended.Sub(view.Started), view.Verdict.Sentence())
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// tables is the router's part of the data path, without sockets.
type tables struct {
	t     *testing.T
	base  *router.Table
	table atomic.Pointer[router.Table]
}

func newTables(t *testing.T, cfg *config.Config) *tables {
	base, err := router.Build(router.Options{Services: cfg.Services})
	if err != nil {
		t.Fatal(err)
	}
	return &tables{t: t, base: base}
}

// SetSplit puts a split in force.
func (s *tables) SetSplit(split rollout.Split) error { return s.setAll([]rollout.Split{split}) }

// Revoke is a failure of the test: nobody may be rolled back.
func (s *tables) Revoke(string) { s.t.Error("a healthy canary was revoked") }

func (s *tables) setAll(splits []rollout.Split) error {
	specs := make(map[string]router.SplitSpec)
	for _, split := range splits {
		specs[split.Service] = router.SplitSpec{
			Rollout: split.Rollout, Revision: split.Revision, Stable: split.Stable, Canary: split.Canary, Weight: split.Weight,
		}
	}
	table, err := s.base.With(specs)
	if err != nil {
		return err
	}
	s.table.Store(table)
	return nil
}

// assign draws one request.
func (s *tables) assign(random uint64) router.Assignment {
	var r plainRequest
	return s.table.Load().Match(r).Assign(r, random)
}

// plainRequest is a request that says nothing about itself.
type plainRequest struct{}

func (plainRequest) Method() []byte               { return []byte("GET") }
func (plainRequest) Host() []byte                 { return []byte("shop.example.com") }
func (plainRequest) Path() []byte                 { return []byte("/") }
func (plainRequest) Field(string) ([]byte, bool)  { return nil, false }
func (plainRequest) Cookie(string) ([]byte, bool) { return nil, false }
func (plainRequest) Query(string) ([]byte, bool)  { return nil, false }
func (plainRequest) ClientAddr() netip.Addr       { return netip.Addr{} }

// The same over real HTTP, with at least 100,000 requests (fewer under the race detector).
func TestEqualVariantsArePromotedOverHTTP(t *testing.T) {
	requests := int64(100_000)
	if raceEnabled {
		requests = 10_000
	}
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	for _, b := range []*backend{stable, canary} {
		sometimes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if rand.Float64() < 0.005 {
				http.Error(w, "an ordinary failure", http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, "fine")
		})
		b.handle.Store(&sometimes)
	}
	i := launch(t, preamble+fmt.Sprintf(`
policies:
  test:
    steps: [{weight: 1%%, duration: 3s}, {weight: 5%%, duration: 3s}, {weight: 20%%, duration: 3s}, {weight: 50%%, duration: 3s}]
    checks: {warm_up: 5s}
    bake: {duration: 3s}
services:
  shop:
    variants: {v1: {endpoints: [%q]}, v2: {endpoints: [%q]}}
    stable: v1
    canary: v2
    policy: test
    variant_field: X-Variant
`, stable.address, canary.address))
	sent, lost := flood(t, i, requests)
	view := i.await(t, 10*time.Second, "decided", func(v rollout.View) bool { return !v.Phase.Live() })
	t.Logf("%d requests: %s, %s", sent, view.Phase, view.Verdict.Sentence())
	if view.Phase != rollout.PhasePromoted || lost != 0 {
		t.Errorf("%v (%s), %d requests got no answer", view.Phase, view.Reason, lost)
	}
}

// flood sends requests as fast as they are answered: so many at least, and on until the rollout is decided.
func flood(t *testing.T, i *instance, atLeast int64) (sent, lost int64) {
	t.Helper()
	var total, unanswered atomic.Int64
	client := newClient(t)
	deadline := time.Now().Add(3 * time.Minute)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for n := 0; time.Now().Before(deadline); n++ {
				if total.Load() >= atLeast && n%32 == 0 && !i.Rollouts().Views()[0].Phase.Live() {
					return
				}
				if i.get(client, nil).err != nil {
					unanswered.Add(1)
				}
				total.Add(1)
			}
		})
	}
	group.Wait()
	return total.Load(), unanswered.Load()
}
