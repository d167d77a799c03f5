package rollout

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
	"haldane/stats"
)

func TestHealthyCanaryIsPromotedByTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		splits := r.configure(quickSpec("shop", 5*onePercent, 50*onePercent))
		if len(splits) != 1 || splits[0].Weight != 5*onePercent {
			t.Fatalf("splits %+v", splits)
		}
		defer r.run()()
		r.journal.take()
		r.flow(2*time.Minute, traffic{service: "shop", rate: 400, canaryBad: 0.01, stableBad: 0.01})
		v := r.wantPhase("shop", PhasePromoted)
		want := []EventKind{EventCreated, EventStarted, EventStep, EventBaking, EventPromoted}
		if diff := cmp.Diff(want, kinds(v.History)); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		entries := r.journal.take()
		entries = slices.DeleteFunc(entries, func(e string) bool { return e == "store" })
		if diff := cmp.Diff([]string{"split shop 50%", "split shop 90%", "split shop 100%"}, entries); diff != "" {
			t.Errorf("splits (-want +got):\n%s", diff)
		}
	})
}

func TestRaiseIsStoredThenAppliedAndRollbackTheOtherWayRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 5*onePercent, 50*onePercent))
		r.journal.take()
		if _, err := r.Do("shop", Command{Kind: CommandPromote}); err != nil {
			t.Fatal(err)
		}
		if got := r.journal.take(); !before(got, "store", "split shop 50%") {
			t.Errorf("raise: %v", got)
		}
		if _, err := r.Do("shop", Command{Kind: CommandAbort}); err != nil {
			t.Fatal(err)
		}
		if got := r.journal.take(); !before(got, "revoke shop", "split shop 0%") || !before(got, "split shop 0%", "store") {
			t.Errorf("rollback: %v", got)
		}
	})
}

func TestBadCanaryIsRolledBackWithFewRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		defer r.run()()
		r.flow(8*time.Second, traffic{service: "shop", rate: 200, canaryBad: 1})
		v := r.wantPhase("shop", PhaseRolledBack)
		if v.Stage.Requests > 80 {
			t.Errorf("%d requests reached the canary", v.Stage.Requests)
		}
		last := v.History[len(v.History)-1]
		if last.Numbers == "" || last.Numbers != v.Verdict.Sentence() {
			t.Errorf("the rollback has the numbers %q, the verdict %q", last.Numbers, v.Verdict.Sentence())
		}
		if !r.journal.split("shop").RolledBack {
			t.Error("the split does not say that it is rolled back")
		}
	})
}

func TestFullDiskKeepsTheWeightAndDoesNotStopARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent))
		defer r.run()()
		good := traffic{service: "shop", rate: 200}
		r.flow(5*time.Second, good)
		r.store.set(errDisk, nil)
		r.flow(20*time.Second, good)
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 0 || v.Hold != HoldStore || v.Reason == "" || r.journal.split("shop").Weight != 10*onePercent {
			t.Fatalf("step %d, hold %q (%s), weight %s", v.Step, v.Hold, v.Reason, r.journal.split("shop").Weight)
		}
		if _, err := r.Do("shop", Command{Kind: CommandPromoteFull}); !errors.Is(err, errDisk) {
			t.Errorf("a promotion that cannot be stored: error %v", err)
		}
		r.store.set(nil, nil)
		r.flow(2*time.Second, good)
		if v = r.wantPhase("shop", PhaseProgressing); v.Step != 1 || v.Hold != "" {
			t.Fatalf("step %d, hold %q after the disk has room", v.Step, v.Hold)
		}
		r.store.set(errDisk, nil)
		r.flow(8*time.Second, traffic{service: "shop", rate: 200, canaryBad: 0.5})
		r.wantPhase("shop", PhaseRolledBack)
		if !r.journal.split("shop").RolledBack {
			t.Error("the split was not applied")
		}
		// What could not be stored is stored by a later checkpoint.
		r.store.set(nil, nil)
		time.Sleep(checkpointEvery + tickEvery)
		synctest.Wait()
		r.reboot()
		if got := r.configure(quickSpec("shop", 10*onePercent, 50*onePercent)); !got[0].RolledBack {
			t.Errorf("after a restart: %+v", got[0])
		}
	})
}

// A disk that hangs costs a second of blindness once, not one for each attempt.
func TestHangingDiskDoesNotBlindTheJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent), quickSpec("cart", 10*onePercent))
		defer r.run()()
		r.flow(2*time.Second, traffic{service: "shop", rate: 200})
		hang := make(chan struct{})
		r.store.set(nil, hang)
		r.flow(5*time.Second, traffic{service: "cart", rate: 200, canaryBad: 1})
		r.wantPhase("cart", PhaseRolledBack)
		start := time.Now()
		if _, err := r.AbortAll(Command{Reason: "disk", Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		r.wantPhase("shop", PhaseRolledBack)
		if took := time.Since(start); took > saveTimeout {
			t.Errorf("abort took %s", took)
		}
		r.store.set(nil, nil)
		close(hang)
		time.Sleep(2 * checkpointEvery)
		synctest.Wait()
		records, err := r.store.Load()
		if err != nil || len(records) != 2 {
			t.Fatalf("records %v, error %v", records, err)
		}
		for _, record := range records {
			if m, err := decodeMemory(record.Value); err != nil || m.State.Phase != PhaseRolledBack {
				t.Errorf("%s is stored as %v, error %v", record.Service, m.State.Phase, err)
			}
		}
	})
}

func TestBudgetRevokesOnTheRequestAndWakesTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 10
		r.configure(spec)
		defer r.run()()
		time.Sleep(tickEvery + time.Millisecond)
		r.journal.take()
		for range 10 {
			r.stats.Service("shop").Budget().Purse().Spend()
		}
		if got := r.journal.take(); !slices.Contains(got, "revoke shop") {
			t.Fatalf("after the tenth failure: %v", got)
		}
		synctest.Wait() // no time passes
		v := r.wantPhase("shop", PhaseRolledBack)
		want := BudgetView{Limit: 10, Spent: 10, Kinds: []LossView{{Kind: LossFailed, Limit: 10, Spent: 10}}}
		if diff := cmp.Diff(want, v.Budget); diff != "" {
			t.Errorf("budget (-want +got):\n%s", diff)
		}
		// Another attempt has a budget of its own.
		if _, err := r.Do("shop", Command{Kind: CommandRetry}); err != nil {
			t.Fatal(err)
		}
		if v = r.wantPhase("shop", PhaseProgressing); v.Budget.Left != 10 {
			t.Errorf("budget %+v", v.Budget)
		}
		r.stats.Service("shop").Budget().Purse().Spend()
		time.Sleep(tickEvery)
		synctest.Wait()
		if v = r.wantPhase("shop", PhaseProgressing); v.Budget.Spent != 1 {
			t.Errorf("budget %+v", v.Budget)
		}
	})
}

func TestSplitThatIsRefusedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		defer r.run()()
		r.journal.mu.Lock()
		r.journal.refuse = errors.New("no such variant")
		r.journal.mu.Unlock()
		if _, err := r.Do("shop", Command{Kind: CommandAbort}); err != nil {
			t.Fatal(err)
		}
		if r.journal.split("shop").RolledBack {
			t.Fatal("the split was refused")
		}
		r.journal.mu.Lock()
		r.journal.refuse = nil
		r.journal.mu.Unlock()
		time.Sleep(tickEvery + time.Millisecond)
		synctest.Wait()
		if !r.journal.split("shop").RolledBack {
			t.Error("the split was not tried again")
		}
	})
}

// A step that draws from a segment alone is judged at its strength.
func TestSegmentIsJudgedAtItsStrength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, bad := range []float64{0, 1} {
			r := newRig(t)
			spec := quickSpec("shop", 0, 50*onePercent)
			spec.Policy.Steps[0].Segment, spec.Policy.Steps[0].Strength = "staff", 20*onePercent
			r.configure(spec)
			stop := r.run()
			r.flow(8*time.Second, traffic{service: "shop", rate: 200, canaryBad: bad, segment: true})
			want := PhaseProgressing
			if bad == 1 {
				want = PhaseRolledBack
			}
			if v := r.wantPhase("shop", want); v.Stage.Judged == 0 || v.Stage.Judged != v.Stage.Requests {
				t.Errorf("judged %d of %d", v.Stage.Judged, v.Stage.Requests)
			}
			stop()
		}
	})
}

// Traffic that does not come stops the clock of the loop too, and nothing else.
func TestQuietServiceHoldsInTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent))
		defer r.run()()
		r.flow(4*time.Second, traffic{service: "shop", rate: 200})
		time.Sleep(time.Hour)
		synctest.Wait()
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 0 || v.Hold != HoldNoTraffic {
			t.Fatalf("step %d, hold %q", v.Step, v.Hold)
		}
		r.flow(5*time.Second, traffic{service: "shop", rate: 200})
		if v = r.wantPhase("shop", PhaseProgressing); v.Step != 1 {
			t.Errorf("step %d after the traffic came back", v.Step)
		}
	})
}

// Five sticky users must not hide a dead canary behind one vote a minute.
func TestFewUsersVoteAtEveryLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 50*onePercent))
		defer r.run()()
		users := func() uint64 { return 1 + r.random.Uint64N(5) }
		r.flow(9*time.Second, traffic{service: "shop", rate: 100, canaryBad: 1, user: users})
		v := r.wantPhase("shop", PhaseRolledBack)
		if !v.Approximate {
			t.Error("the verdict does not say that it is approximate")
		}
	})
}

func TestManyUsersVoteOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 50*onePercent))
		defer r.run()()
		users := func() uint64 { return 1 + r.random.Uint64N(1000) }
		r.flow(9*time.Second, traffic{service: "shop", rate: 2000, user: users})
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Approximate || v.Stage.Judged > 600 || v.Stage.Judged < 400 || v.Stage.Requests < 8000 {
			t.Errorf("approximate %v, judged %d of %d", v.Approximate, v.Stage.Judged, v.Stage.Requests)
		}
	})
}

func TestUnknownServicesAndImpossibleCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		if _, err := r.Do("cart", Command{Kind: CommandAbort}); !errors.Is(err, ErrUnknown) {
			t.Errorf("error %v", err)
		}
		var impossible *ImpossibleError
		v, err := r.Do("shop", Command{Kind: CommandRetry})
		if !errors.As(err, &impossible) || impossible.Phase != PhaseProgressing || v.Phase != PhaseProgressing {
			t.Errorf("error %v, view %+v", err, v)
		}
		if _, err := r.Do("shop", Command{Kind: CommandOverride, Variant: "v3"}); err != nil {
			t.Error(err)
		}
		if got := r.journal.split("shop").Override; got != "v3" {
			t.Errorf("override %q", got)
		}
		if _, ok := r.View("cart"); ok || len(r.Views()) != 1 {
			t.Error("views of services without a rollout")
		}
	})
}

func TestAbortAllLeavesWhatIsDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		waiting := quickSpec("wait", 10*onePercent)
		waiting.Start = config.StartManual
		r.configure(quickSpec("cart", 10*onePercent), quickSpec("shop", 10*onePercent), waiting)
		if _, err := r.Do("cart", Command{Kind: CommandPromoteFull}); err != nil {
			t.Fatal(err)
		}
		r.store.set(errDisk, nil)
		views, err := r.AbortAll(Command{Reason: "incident", Actor: "ann"})
		if err != nil || len(views) != 2 {
			t.Fatalf("%d views, error %v", len(views), err)
		}
		r.wantPhase("cart", PhasePromoted)
		r.wantPhase("shop", PhaseRolledBack)
		if v := r.wantPhase("wait", PhaseRolledBack); v.History[len(v.History)-1].Actor != "ann" {
			t.Errorf("actor %q", v.History[len(v.History)-1].Actor)
		}
	})
}

// The counters of a decided rollout are closed: nothing is judged or charged any more.
func TestDecidedRolloutIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 5
		r.configure(spec)
		if _, err := r.Do("shop", Command{Kind: CommandAbort}); err != nil {
			t.Fatal(err)
		}
		r.journal.take()
		for range 20 {
			r.stats.Service("shop").Budget().Purse().Spend()
		}
		if got := r.journal.take(); len(got) != 0 {
			t.Errorf("after the end: %v", got)
		}
		if r.stats.Service("shop").Budget().Limits() != (stats.Limits{}) {
			t.Error("the budget is still armed")
		}
	})
}

func TestManagerNeedsEverything(t *testing.T) {
	if _, err := NewManager(Options{Stats: stats.NewRegistry(1)}); err == nil {
		t.Error("a manager without a store was made")
	}
}
