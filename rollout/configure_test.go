package rollout

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/store"
)

func TestRestartGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent, 50*onePercent)
		r.configure(spec)
		stop := r.run()
		r.flow(17*time.Second, traffic{service: "shop", rate: 200})
		old, oldSplit := r.wantPhase("shop", PhaseProgressing), r.journal.split("shop")
		if old.Step != 1 {
			t.Fatalf("step %d", old.Step)
		}
		// kill -9: the old loop does not get to store anything.
		r.store.set(errKilled, nil)
		stop()
		r.reboot()
		r.store.set(nil, nil)
		got := r.configure(spec)
		if diff := cmp.Diff([]Split{oldSplit}, got); diff != "" {
			t.Errorf("split after the restart (-before +after):\n%s", diff)
		}
		v := r.wantPhase("shop", PhaseProgressing)
		behind := time.Duration(old.Stage.Elapsed - v.Stage.Elapsed)
		if v.Step != 1 || v.ID != old.ID || behind < 0 || behind > checkpointEvery {
			t.Errorf("step %d of %s, the clock is %s behind", v.Step, v.ID, behind)
		}
		if v.Verdict.Checks[0].CanaryTotal == 0 {
			t.Error("the evidence is gone")
		}
		defer r.run()()
		r.flow(2*time.Minute, traffic{service: "shop", rate: 200})
		r.wantPhase("shop", PhasePromoted)
	})
}

// The evidence in the store proves the canary bad, but the process died before it could act.
func TestRestoredEvidenceIsJudgedBeforeTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		r.configure(spec)
		m := r.Manager.runners["shop"]
		for range 20 {
			time.Sleep(time.Second)
			for range 50 {
				r.request(traffic{service: "shop", rate: 1, canaryBad: 1})
			}
			m.observe(time.Now()) // the judge knows, the core was not asked
		}
		m.changed = true
		r.checkpoint()
		r.reboot()
		if got := r.configure(spec); !got[0].RolledBack || got[0].Weight != 0 {
			t.Errorf("split after the restart: %+v", got[0])
		}
		r.wantPhase("shop", PhaseRolledBack)
	})
}

func TestSpentBudgetOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 10
		r.configure(spec)
		stop := r.run()
		for range 8 {
			r.stats.Service("shop").Budget().Purse().Spend()
		}
		time.Sleep(tickEvery + time.Millisecond)
		stop()
		r.reboot()
		r.configure(spec)
		for range 2 {
			r.stats.Service("shop").Budget().Purse().Spend()
		}
		defer r.run()()
		synctest.Wait()
		r.wantPhase("shop", PhaseRolledBack)
	})
}

func TestReloadOfTheSameFileChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent, 50*onePercent)
		r.configure(spec)
		defer r.run()()
		for range 50 {
			r.flow(100*time.Millisecond, traffic{service: "shop", rate: 200})
			r.configure(spec)
		}
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 0 || v.SplitRevision != 1 || v.Verdict.Checks[0].CanaryTotal < 50 || len(v.History) != 2 {
			t.Errorf("revision %d, evidence %d, history %v", v.SplitRevision, v.Verdict.Checks[0].CanaryTotal, kinds(v.History))
		}
		if elapsed := time.Duration(v.Stage.Elapsed); elapsed < 4*time.Second {
			t.Errorf("clock %s after 5 s", elapsed)
		}
	})
}

// A configuration that cannot be applied leaves everything as it was, the budget and the evidence too.
func TestConfigureThatIsNotAppliedIsUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent, 50*onePercent)
		spec.Policy.Budget.FailedRequests = 5
		r.configure(spec)
		defer r.run()()
		r.flow(4*time.Second, traffic{service: "shop", rate: 200})
		old := r.wantPhase("shop", PhaseProgressing)
		other := spec
		other.CanaryIdentity = "r2"
		broken := errors.New("no such segment")
		err := r.Configure(time.Now(), []Spec{other, quickSpec("cart", 10*onePercent)}, func([]Split) error { return broken })
		if !errors.Is(err, broken) {
			t.Fatalf("error %v", err)
		}
		v := r.wantPhase("shop", PhaseProgressing)
		if diff := cmp.Diff(old, v); diff != "" {
			t.Errorf("view (-before +after):\n%s", diff)
		}
		if len(r.Views()) != 1 {
			t.Error("a rollout of the failed configuration is there")
		}
		r.flow(9*time.Second, traffic{service: "shop", rate: 200})
		if v = r.wantPhase("shop", PhaseProgressing); v.Step != 1 {
			t.Errorf("step %d, hold %q", v.Step, v.Hold)
		}
		for range 5 {
			r.stats.Service("shop").Budget().Purse().Spend()
		}
		synctest.Wait()
		r.wantPhase("shop", PhaseRolledBack)
		// The next file is taken, and stored over what the failed one left.
		r.configure(other, quickSpec("cart", 10*onePercent))
		r.wantPhase("shop", PhaseProgressing)
		r.wantPhase("cart", PhaseProgressing)
		r.flow(time.Second, traffic{service: "cart", rate: 200})
		if v := r.wantPhase("cart", PhaseProgressing); v.Stage.Judged == 0 {
			t.Error("a rollout that was undone once is not judged")
		}
	})
}

func TestAnIDThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		one, two := quickSpec("shop", 10*onePercent), quickSpec("shop", 10*onePercent)
		two.CanaryIdentity = "r2"
		r.configure(one)
		r.configure(two)
		if got := r.configure(one); !got[0].RolledBack {
			t.Errorf("a superseded rollout starts again by itself: %+v", got[0])
		}
		if v, err := r.Do("shop", Command{Kind: CommandRetry}); err != nil || v.ID != one.ID()+".2" {
			t.Errorf("retry draws its users afresh: %s, error %v", v.ID, err)
		}
		if _, err := r.Do("shop", Command{Kind: CommandAbort, Reason: "leaks"}); err != nil {
			t.Fatal(err)
		}
		r.configure() // no canary at all
		if len(r.Views()) != 0 {
			t.Error("a rollout without a canary")
		}
		r.reboot()
		got := r.configure(one)
		if v := r.wantPhase("shop", PhaseRolledBack); !got[0].RolledBack || !strings.Contains(v.Reason, "leaks") {
			t.Errorf("a canary that was rolled back starts by itself: %+v (%s)", got[0], v.Reason)
		}
		if v, err := r.Do("shop", Command{Kind: CommandRetry}); err != nil || v.ID != one.ID()+".3" {
			t.Errorf("retry: %s, error %v", v.ID, err)
		}
	})
}

func TestPromotedIsFinishedByTheNextFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		if _, err := r.Do("shop", Command{Kind: CommandPromoteFull}); err != nil {
			t.Fatal(err)
		}
		r.reboot()
		if got := r.configure(quickSpec("shop", 10*onePercent)); got[0].Weight != config.Whole {
			t.Fatalf("after a restart: %+v", got[0])
		}
		events, cancel := r.Subscribe(10)
		defer cancel()
		next := quickSpec("shop", 10*onePercent)
		next.Stable, next.Canary = "v2", "v3"
		got := r.configure(next)
		if got[0].Canary != "v3" || got[0].Weight != 10*onePercent || got[0].Revision < 3 {
			t.Errorf("split %+v", got[0])
		}
		if e := <-events; e.Kind != EventFinished {
			t.Errorf("first event %s", e.Kind)
		}
	})
}

// What cannot be stored is not begun, and begins once it can.
func TestStartWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.set(errDisk, nil)
		if got := r.configure(quickSpec("shop", 10*onePercent)); got[0].Weight != 0 {
			t.Fatalf("split %+v", got[0])
		}
		v := r.wantPhase("shop", PhasePending)
		if v.Hold != HoldStore || !strings.Contains(v.Reason, errDisk.Error()) {
			t.Errorf("hold %q (%s)", v.Hold, v.Reason)
		}
		defer r.run()()
		time.Sleep(3 * time.Second)
		r.store.set(nil, nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.wantPhase("shop", PhaseProgressing)
		if got := r.journal.split("shop"); got.Weight != 10*onePercent {
			t.Errorf("split %+v", got)
		}
	})
}

func TestUnreadableRecordStaysOnTheStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, value := range []string{"", "{", `{"version":99}`, `{"version":1,"state":{"version":7}}`, `{"version":1,"state":{"version":1}}`} {
			r := newRig(t)
			if err := r.store.Store.Save([]store.Record{{Service: "shop", Value: []byte(value)}}); err != nil {
				t.Fatal(err)
			}
			r.reboot()
			if got := r.configure(quickSpec("shop", 10*onePercent)); !got[0].RolledBack {
				t.Errorf("%q: split %+v", value, got[0])
			}
			v := r.wantPhase("shop", PhaseRolledBack)
			if !strings.Contains(v.Reason, "cannot be read") {
				t.Errorf("%q: %s", value, v.Reason)
			}
			if _, err := r.Do("shop", Command{Kind: CommandRetry}); err != nil {
				t.Errorf("%q: %v", value, err)
			}
		}
	})
}

// Evidence that cannot be read costs the step, not the rollout.
func TestUnreadableEvidenceStartsTheStepAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent, 50*onePercent)
		r.configure(spec)
		stop := r.run()
		r.flow(15*time.Second, traffic{service: "shop", rate: 200})
		stop()
		records, err := r.store.Load()
		if err != nil {
			t.Fatal(err)
		}
		m, err := decodeMemory(records[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		m.Judge.Version = 99
		if records[0].Value, err = encodeMemory(m); err != nil {
			t.Fatal(err)
		}
		if err := r.store.Store.Save(records); err != nil {
			t.Fatal(err)
		}
		r.reboot()
		r.configure(spec)
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 1 || v.Stage.Elapsed != 0 || v.Stage.Judged != 0 {
			t.Errorf("step %d, clock %s, judged %d", v.Step, v.Stage.Elapsed, v.Stage.Judged)
		}
	})
}

// A save that failed may have reached the disk all the same. The next one must not be a conflict for ever.
func TestConflictWithOurselvesHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent))
		r.store.Store = &forgetful{Store: r.store.Store, times: 1}
		if _, err := r.Do("shop", Command{Kind: CommandPromote}); !errors.Is(err, errDisk) {
			t.Fatalf("error %v", err)
		}
		if _, err := r.Do("shop", Command{Kind: CommandPromote}); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("error %v", err)
		}
		if v, err := r.Do("shop", Command{Kind: CommandPromote}); err != nil || v.Step != 1 {
			t.Errorf("step %d, error %v", v.Step, err)
		}
	})
}

// forgetful saves, and says that it did not.
type forgetful struct {
	store.Store
	times int
}

func (f *forgetful) Save(records []store.Record) error {
	err := f.Store.Save(records)
	if f.times > 0 && err == nil {
		f.times--
		return errDisk
	}
	return err
}

func TestFormerRolloutsAreForgottenInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		r.configure()
		if records, err := r.store.Load(); err != nil || len(records) != 1 {
			t.Fatalf("records %v, error %v", records, err)
		}
		time.Sleep(formerAge + time.Hour)
		r.configure()
		if records, err := r.store.Load(); err != nil || len(records) != 0 {
			t.Errorf("records %v, error %v", records, err)
		}
		if got := r.configure(quickSpec("shop", 10*onePercent)); got[0].Weight != 10*onePercent {
			t.Errorf("split %+v", got[0])
		}
	})
}
