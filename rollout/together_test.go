package rollout

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
)

// released is a spec of a release, or of what comes after it.
func released(service, release string, after ...string) Spec {
	spec := quickSpec(service, 10*onePercent, 50*onePercent)
	spec.Release, spec.After = release, after
	spec.Policy.Steps[0].MinRequests, spec.Policy.Steps[1].MinRequests = 5, 5
	return spec
}

// The canaries of all members are out of service before anything else is done about any of them.
func TestReleaseRevokesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(released("cart", "core"), released("ledger", "core"))
		r.wantPhase("cart", PhaseProgressing)
		r.journal.take()
		if _, err := r.Do("ledger", Command{Kind: CommandAbort}); err != nil {
			t.Fatal(err)
		}
		got := r.journal.take()
		if len(got) != 5 || got[4] != "store" || slices.Index(got, "split cart 0%") < 2 || slices.Index(got, "split ledger 0%") < 2 {
			t.Errorf("it was done in this order: %q", got)
		}
		r.wantPhase("cart", PhaseRolledBack)
	})
}

// A budget that is spent takes all members out on the goroutine of the request, and the loop rolls all of them back.
func TestSpentBudgetReachesTheWholeRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cart := released("cart", "core")
		cart.Policy.Budget.FailedRequests = 3
		r.configure(cart, released("ledger", "core"), released("mail", ""))
		r.journal.take()
		for range 3 {
			r.stats.Service("cart").Budget().Purse().Spend()
		}
		if got := r.journal.take(); !slices.Equal(got, []string{"revoke cart", "revoke ledger"}) {
			t.Errorf("the request did %q", got)
		}
		// In between the configuration takes ledger out of the release. Its canary is out of service all the same.
		r.configure(cart, released("ledger", ""), released("mail", ""))
		r.beat(time.Now())
		r.wantPhase("cart", PhaseRolledBack)
		if v := r.wantPhase("ledger", PhaseRolledBack); v.Reason != "cart, of the same release, has spent its budget" {
			t.Errorf("ledger: %s", v.Reason)
		}
		r.wantPhase("mail", PhaseProgressing)
	})
}

// A step of a release is stored in one transaction, before anybody takes it.
func TestReleaseIsStoredInOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		specs := []Spec{released("cart", "core"), released("ledger", "core")}
		r.configure(specs...)
		r.journal.take()
		if _, err := r.Do("cart", Command{Kind: CommandPromoteFull}); err != nil {
			t.Fatal(err)
		}
		if got := r.journal.take(); len(got) != 3 || got[0] != "store" {
			t.Errorf("it was done in this order: %q", got)
		}
		r.reboot()
		r.configure(specs...)
		r.wantPhase("cart", PhasePromoted)
		r.wantPhase("ledger", PhasePromoted)

		specs[0].CanaryIdentity, specs[1].CanaryIdentity = "r2", "r2"
		r.configure(specs...)
		r.store.set(errDisk, nil)
		if _, err := r.Do("cart", Command{Kind: CommandPromoteFull}); !errors.Is(err, errDisk) {
			t.Errorf("error %v", err)
		}
		r.reboot()
		r.store.set(nil, nil)
		r.configure(specs...)
		r.wantPhase("cart", PhaseProgressing)
		r.wantPhase("ledger", PhaseProgressing)
	})
}

// A budget of one member that is spent while the promotion of all is being stored wins, for all.
func TestBudgetThatTripsDuringAPromotionOfARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		tripping := &trippingStore{Store: r.store.Store, trip: func() {
			for range 3 {
				r.stats.Service("ledger").Budget().Spend()
			}
		}}
		r.store.Store = tripping
		cart, ledger := released("cart", "core"), released("ledger", "core")
		cart.Policy.Budget.FailedRequests, ledger.Policy.Budget.FailedRequests = 3, 3
		r.configure(cart, ledger)
		tripping.armed.Store(true)
		_, _ = r.Do("cart", Command{Kind: CommandPromoteFull})
		tripping.armed.Store(false)
		r.beat(time.Now())
		r.wantPhase("cart", PhaseRolledBack)
		r.wantPhase("ledger", PhaseRolledBack)
	})
}

// A reload that cannot be applied leaves the release as it was.
func TestFailedReloadKeepsTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cart, ledger := released("cart", "core"), released("ledger", "core")
		cart.Policy.Budget.FailedRequests = 3
		r.configure(cart, ledger)
		alone := ledger
		alone.Release = ""
		if err := r.Configure(time.Now(), []Spec{cart, alone}, func([]Split) error { return errDisk }); !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		r.journal.take()
		for range 3 {
			r.stats.Service("cart").Budget().Spend()
		}
		if got := r.journal.take(); !slices.Equal(got, []string{"revoke cart", "revoke ledger"}) {
			t.Errorf("the request did %q", got)
		}
	})
}

// A hook that rolls one member back takes all canaries out of service before anything is stored: a disk that hangs keeps nobody on them.
func TestHookRevokesTheWholeRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cart := released("cart", "core")
		cart.Policy.Hooks.Rollback = []config.Hook{{Name: "pager", Every: config.Duration(time.Second)}}
		r.configure(cart, released("ledger", "core"))
		r.journal.take()
		v := r.wantPhase("cart", PhaseProgressing)
		r.Answer(Answer{Service: "cart", Place: v.Place, Point: config.HookRollback, Hook: "pager", Turn: 1, Answer: HookYes})
		got := r.journal.take()
		if store := slices.Index(got, "store"); store < 0 || slices.Index(got[:store], "split cart 0%") < 0 || slices.Index(got[:store], "split ledger 0%") < 0 {
			t.Errorf("it was done in this order: %q", got)
		}
		r.wantPhase("ledger", PhaseRolledBack)
	})
}
