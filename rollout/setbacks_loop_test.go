package rollout

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/stats"
)

// Each kind of the budget takes the canary out before any time has passed, and the rollout follows.
func TestEachKindOfTheBudgetRevokesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		budget config.Budget
		charge func(p *stats.Purse, i uint64)
	}{
		"excess": {config.Budget{ExcessFailures: 10}, func(p *stats.Purse, _ uint64) { p.Compare(stats.SideCanary, 0.1) }},
		"slow":   {config.Budget{SlowRequests: 10, SlowAfter: 5}, func(p *stats.Purse, _ uint64) { p.Slow(6) }},
		"users": {config.Budget{ExposedUsers: 10, OnExposed: config.FailureRollBack}, func(p *stats.Purse, i uint64) {
			p.Expose(i * 0x9E3779B97F4A7C15)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				spec := quickSpec("shop", 10*onePercent)
				spec.Policy.Budget = c.budget
				r.configure(spec)
				defer r.run()()
				time.Sleep(tickEvery + time.Millisecond)
				r.journal.take()
				for i := range uint64(9) {
					c.charge(r.stats.Service("shop").Budget().Purse(), i+1)
				}
				if got := r.journal.take(); len(got) > 0 {
					t.Fatalf("after nine: %v", got)
				}
				c.charge(r.stats.Service("shop").Budget().Purse(), 10)
				if got := r.journal.take(); !slices.Contains(got, "revoke shop") {
					t.Fatalf("after the tenth: %v", got)
				}
				synctest.Wait() // no time passes
				v := r.wantPhase("shop", PhaseRolledBack)
				if len(v.Budget.Kinds) != 1 || v.Budget.Kinds[0].Left != 0 || v.Budget.Kinds[0].Spent != 10 {
					t.Errorf("%+v", v.Budget)
				}
				if r.Numbers()["shop"].Rollbacks[TriggerBudget] != 1 {
					t.Errorf("%v", r.Numbers()["shop"].Rollbacks)
				}
			})
		})
	}
}

// As many users as are allowed pause the rollout at once, and it is remembered who they are: the next process does not count them again.
func TestUsersPauseTheRolloutAndAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.ExposedUsers = 100
		r.configure(spec)
		stop := r.run()
		expose := func(from, to uint64) {
			for user := from; user < to; user++ {
				r.stats.Service("shop").Budget().Purse().Expose(user * 0x9E3779B97F4A7C15)
			}
			synctest.Wait()
		}
		time.Sleep(tickEvery + time.Millisecond)
		expose(1, 81)
		time.Sleep(2 * checkpointEvery)
		stop()
		r.reboot()
		r.configure(spec)
		defer r.run()()
		time.Sleep(tickEvery + time.Millisecond)
		expose(1, 81) // the same again
		r.wantPhase("shop", PhaseProgressing)
		expose(81, 105)
		v := r.wantPhase("shop", PhasePaused)
		if v.Pause != PauseExposed || !v.NeedsPerson || v.Weight != 10*onePercent {
			t.Errorf("%s, %q at %s", v.Phase, v.Reason, v.Weight)
		}
		if _, err := r.Do("shop", Command{Kind: CommandResume}); err != nil {
			t.Fatal(err)
		}
		expose(105, 200)
		time.Sleep(time.Second)
		r.wantPhase("shop", PhaseProgressing)
	})
}

// What was charged though no request has ended is no silence.
func TestLossesAreNews(t *testing.T) {
	c := newCrowd(t, 1)
	c.rest()
	r := c.manager.runners[c.names[0]]
	if !r.coast(c.now) {
		t.Fatal("a service without traffic does not coast")
	}
	r.evidence.service.Budget().Purse().Compare(stats.SideCanary, 0.5)
	if r.coast(c.now) {
		t.Error("an excess was slept through")
	}
}

// A retry by itself waits for the cool-down, also over a restart, has other users, and is not begun when it cannot be stored.
func TestLoopRetriesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 3
		spec.Policy.CoolDown, spec.Policy.Retries = config.Duration(time.Minute), 1
		first := r.configure(spec)[0]
		stop := r.run()
		fail := func() {
			for range 3 {
				r.stats.Service("shop").Budget().Purse().Spend()
			}
			synctest.Wait()
		}
		time.Sleep(tickEvery + time.Millisecond)
		fail()
		v := r.wantPhase("shop", PhaseRolledBack)
		if v.RetryAt.IsZero() || v.RetryAt.After(time.Now().Add(time.Minute)) {
			t.Errorf("it is tried again at %v", v.RetryAt)
		}
		var impossible *ImpossibleError
		if _, err := r.Do("shop", Command{Kind: CommandRetry}); !errors.As(err, &impossible) || impossible.Cooling <= 0 {
			t.Errorf("a retry before the cool-down is over: %v", err)
		}
		time.Sleep(30 * time.Second)
		stop()
		r.reboot()
		r.configure(spec)
		defer r.run()()
		time.Sleep(29 * time.Second)
		r.wantPhase("shop", PhaseRolledBack)
		r.store.set(errDisk, nil)
		time.Sleep(10 * time.Second)
		r.wantPhase("shop", PhaseRolledBack)
		if got := r.journal.split("shop"); got.Weight != 0 || !got.RolledBack {
			t.Errorf("the split is %+v though nothing was stored", got)
		}
		r.store.set(nil, nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.wantPhase("shop", PhaseProgressing)
		if again := r.journal.split("shop"); again.Rollout == first.Rollout || again.Weight != 10*onePercent {
			t.Errorf("the retry is %+v after %+v", again, first)
		}
		fail()
		if v := r.wantPhase("shop", PhaseRolledBack); !v.RetryAt.IsZero() {
			t.Error("it is tried a third time")
		}
		time.Sleep(time.Hour)
		r.wantPhase("shop", PhaseRolledBack)
	})
}

// One step back: the weight falls before anything is stored, the evidence begins again, and the canary may come through.
func TestLoopStepsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 5*onePercent, 30*onePercent)
		spec.Policy.OnFailure = config.FailureStepBack
		r.configure(spec)
		defer r.run()()
		r.flow(25*time.Second, traffic{service: "shop", rate: 400})
		if v := r.wantPhase("shop", PhaseProgressing); v.Step != 1 {
			t.Fatalf("it is on step %d: %v", v.Step, v.WaitingFor)
		}
		r.journal.take()
		for n := 0; r.journal.split("shop").Weight == 30*onePercent && n < 100; n++ {
			r.flow(tickEvery, traffic{service: "shop", rate: 400, canaryBad: 0.3})
		}
		if got := r.journal.take(); !before(got, "split shop 5%", "store") {
			t.Errorf("order %v", got)
		}
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 0 || v.Weight != 5*onePercent || len(v.Verdict.Checks) > 0 && v.Verdict.Checks[0].CanaryTotal > 0 {
			t.Errorf("step %d at %s with %+v", v.Step, v.Weight, v.Verdict)
		}
		r.flow(time.Minute, traffic{service: "shop", rate: 400})
		if v := r.wantPhase("shop", PhaseProgressing); v.Step != 1 {
			t.Errorf("it did not come back to its step: %v", v.WaitingFor)
		}
	})
}

// A regression late in the bake, with the holdback as what it is compared with, brings nine tenths of the users back at once.
func TestLateRegressionInTheBake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 50*onePercent)
		spec.Policy.Bake = config.Bake{Duration: config.Duration(10 * time.Minute), Holdback: 10 * onePercent}
		r.configure(spec)
		defer r.run()()
		r.flow(3*time.Minute, traffic{service: "shop", rate: 400, canaryBad: 0.002, stableBad: 0.002})
		if v := r.wantPhase("shop", PhaseBaking); v.Weight != 90*onePercent || !v.Stage.Compared {
			t.Fatalf("the bake is at %s, compared %v", v.Weight, v.Stage.Compared)
		}
		r.journal.take()
		began := time.Now()
		for r.journal.split("shop").Weight > 0 && time.Since(began) < time.Minute {
			r.flow(tickEvery, traffic{service: "shop", rate: 400, canaryBad: 0.1, stableBad: 0.002})
		}
		took := time.Since(began)
		got := r.journal.take()
		if !before(got, "revoke shop", "split shop 0%") || !before(got, "split shop 0%", "store") {
			t.Errorf("order %v", got)
		}
		if v := r.wantPhase("shop", PhaseRolledBack); v.History[len(v.History)-1].Trigger != TriggerCheck || took > 20*time.Second {
			t.Errorf("%s after %v: %s", v.Phase, took, v.Reason)
		}
		t.Logf("10 %% instead of 0.2 %% at 90/10 and 400 requests/s: found after %v", took)
	})
}
