package rollout

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"haldane/analysis"
	"haldane/store"
)

// What an operator ordered must never keep a configuration from being put in force.
func TestOverrideToAVariantThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Variants = []string{"v1", "v2", "v3"}
		r.configure(spec)
		if _, err := r.Do("shop", Command{Kind: CommandOverride, Variant: "v3"}); err != nil {
			t.Fatal(err)
		}
		spec.Variants = []string{"v1", "v2"}
		if got := r.configure(spec); got[0].Override != "" {
			t.Errorf("the override outlives its variant: %+v", got[0])
		}
	})
}

// An override outlives the rollout that it was given in, unless it is to the canary that is gone.
func TestOverrideOutlivesASupersededRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		one, two := quickSpec("shop", 10*onePercent), quickSpec("shop", 10*onePercent)
		two.CanaryIdentity = "r2"
		r.configure(one)
		if _, err := r.Do("shop", Command{Kind: CommandOverride, Variant: "v1"}); err != nil {
			t.Fatal(err)
		}
		if got := r.configure(two); got[0].Override != "v1" {
			t.Errorf("the order to send everything to v1 was dropped: %+v", got[0])
		}
	})
}

// trippingStore spends the budget while it saves, when it is armed.
type trippingStore struct {
	store.Store
	armed atomic.Bool
	trip  func()
}

func (s *trippingStore) Save(records []store.Record) error {
	if s.armed.Load() {
		s.trip()
	}
	return s.Store.Save(records)
}

// A budget that is spent while a promotion is being stored wins.
func TestBudgetThatTripsDuringAPromotion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		tripping := &trippingStore{Store: r.store.Store, trip: func() {
			for range 3 {
				r.stats.Service("shop").Budget().Spend()
			}
		}}
		r.store.Store = tripping
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 3
		r.configure(spec)
		defer r.run()()
		time.Sleep(tickEvery + time.Millisecond)
		tripping.armed.Store(true)
		_, _ = r.Do("shop", Command{Kind: CommandPromoteFull})
		tripping.armed.Store(false)
		time.Sleep(2 * tickEvery)
		synctest.Wait()
		r.wantPhase("shop", PhaseRolledBack)
	})
}

// A reload that could not be applied forgets nothing of the budget.
func TestFailedReloadKeepsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 10
		r.configure(spec)
		budget := r.stats.Service("shop").Budget()
		for range 5 {
			budget.Spend()
		}
		failing := errors.New("not applied")
		if err := r.Configure(time.Now(), []Spec{spec}, func([]Split) error { return failing }); !errors.Is(err, failing) {
			t.Fatalf("error %v", err)
		}
		if spent := budget.Spent(); spent != 5 {
			t.Errorf("spent %d, want 5", spent)
		}
	})
}

// A clean stop looks once more before it stores.
func TestStopTakesTheLastLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 3
		r.configure(spec)
		stop := r.run()
		time.Sleep(tickEvery + time.Millisecond)
		for range 2 {
			r.stats.Service("shop").Budget().Spend()
		}
		stop()
		r.reboot()
		r.configure(spec)
		if v, _ := r.View("shop"); v.Budget.Spent != 2 {
			t.Errorf("%d failures were remembered, want 2", v.Budget.Spent)
		}
	})
}

// What the rollouts have done is counted.
func TestNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		before := r.Numbers()["shop"]
		for _, command := range []CommandKind{CommandPromote, CommandAbort} {
			if _, err := r.Do("shop", Command{Kind: command}); err != nil {
				t.Fatal(err)
			}
		}
		after := r.Numbers()["shop"]
		if after.WeightChanges <= before.WeightChanges {
			t.Errorf("weight changes: %d, then %d", before.WeightChanges, after.WeightChanges)
		}
		if after.Rollbacks[TriggerOperator] != 1 || after.Rollbacks[TriggerCheck] != 0 {
			t.Errorf("rollbacks %v", after.Rollbacks)
		}
		if _, counted := after.Runs[analysis.NoData]; !counted {
			t.Errorf("runs %v", after.Runs)
		}
	})
}
