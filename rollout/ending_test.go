package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haldane/report"
	"haldane/store"
)

// lastReport is the report on the rollout of the service that ended last.
func (r *rig) lastReport(service string) report.Report {
	r.t.Helper()
	list, err := r.History(service)
	if err != nil || len(list) == 0 {
		r.t.Fatalf("history %v, error %v", list, err)
	}
	got, err := r.Report(list[0].ID)
	if err != nil {
		r.t.Fatal(err)
	}
	if got.Summary != list[0] {
		r.t.Errorf("the list has %+v, the report %+v", list[0], got.Summary)
	}
	return got
}

// wantReport checks what every report must say.
func (r *rig) wantReport(service string, result report.Result, rule string) report.Report {
	r.t.Helper()
	got := r.lastReport(service)
	if got.Result != result || !strings.Contains(got.Rule, rule) {
		r.t.Errorf("%s: %q, want %s: %q", got.Result, got.Rule, result, rule)
	}
	if len(got.PolicyHash) != 64 || got.Ended.IsZero() || got.Service != service || got.Stable != "v1" || got.Canary != "v2" {
		r.t.Errorf("report %+v", got)
	}
	for _, s := range got.Steps {
		if s.Left.Before(s.Entered) {
			r.t.Errorf("step %+v has no end", s)
		}
	}
	for _, w := range got.Waits {
		if w.To.Before(w.From) {
			r.t.Errorf("wait %+v has no end", w)
		}
	}
	return got
}

func TestReportOfAPromotion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 5*onePercent, 50*onePercent))
		defer r.run()()
		r.flow(4*time.Minute, traffic{service: "shop", rate: 400, canaryBad: 0.01, stableBad: 0.01})
		v := r.wantPhase("shop", PhasePromoted)
		got := r.wantReport("shop", report.Promoted, "the bake is done")
		names := []string{}
		for _, s := range got.Steps {
			names = append(names, s.Name)
		}
		if want := []string{"5%", "50%", "bake"}; !slices.Equal(names, want) {
			t.Errorf("steps %v, want %v", names, want)
		}
		if len(got.Checks) == 0 || got.Checks[0].CanaryTotal == 0 || got.Verdict != v.Verdict.Sentence() {
			t.Errorf("evidence %+v", got.Checks)
		}
		stable, canary := got.Variants[0], got.Variants[1]
		if stable.Name != "v1" || canary.Name != "v2" || canary.Requests < 3000 || stable.Requests < 3000 || canary.Failed == 0 {
			t.Errorf("variants %+v", got.Variants)
		}
		if sum := stable.Requests + canary.Requests; sum > 240*400 {
			t.Errorf("%d requests of %d", sum, 240*400)
		}
		if len(got.Orders) != 0 {
			t.Errorf("orders %+v", got.Orders)
		}
	})
}

func TestReportOfAFailedCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		defer r.run()()
		r.flow(8*time.Second, traffic{service: "shop", rate: 200, canaryBad: 1})
		r.wantPhase("shop", PhaseRolledBack)
		got := r.wantReport("shop", report.RolledBack, "the check errors failed: ")
		if c := got.Checks[0]; c.Class != "fail" || c.FailedAt.IsZero() || c.Evidence < c.Needed {
			t.Errorf("check %+v", c)
		}
		if got.Trigger != "check" || got.Budget.Spent == 0 || got.Variants[1].Failed != got.Budget.Spent {
			t.Errorf("trigger %s, budget %+v, variants %+v", got.Trigger, got.Budget, got.Variants)
		}
	})
}

func TestReportOfASpentBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Budget.FailedRequests = 5
		r.configure(spec)
		defer r.run()()
		r.flow(3*time.Second, traffic{service: "shop", rate: 200, canaryBad: 1})
		got := r.wantReport("shop", report.RolledBack, "the budget is spent")
		if got.Trigger != "budget" || got.Budget.Limit != 5 || got.Budget.Spent < 5 {
			t.Errorf("trigger %s, budget %+v", got.Trigger, got.Budget)
		}
	})
}

func TestReportOfAnAbortAndOfTheRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent))
		defer r.run()()
		r.flow(2*time.Second, traffic{service: "shop", rate: 200})
		r.do("shop", Command{Kind: CommandPause, Actor: "ann", Reason: "lunch"})
		time.Sleep(5 * time.Second)
		r.do("shop", Command{Kind: CommandResume, Actor: "ann"})
		r.do("shop", Command{Kind: CommandPromote, Actor: "bob", Reason: "looks good"})
		r.do("shop", Command{Kind: CommandAbort, Actor: "ann", Reason: "<b>fire</b>"})
		first := r.wantReport("shop", report.Aborted, "ann ordered it: <b>fire</b>")
		if len(first.Orders) != 4 || first.Orders[2].Actor != "bob" || first.Orders[2].What != "step" {
			t.Errorf("orders %+v", first.Orders)
		}
		if w := first.Waits[0]; w.Kind != "pause" || w.Reason != "lunch" || w.To.Sub(w.From).Round(time.Second) != 5*time.Second {
			t.Errorf("waits %+v", first.Waits)
		}
		r.do("shop", Command{Kind: CommandRetry, Actor: "ann"})
		r.do("shop", Command{Kind: CommandAbort, Actor: "ann"})
		second := r.wantReport("shop", report.Aborted, "ann ordered it")
		if second.ID == first.ID || second.Attempt != 2 || second.Variants[1].Requests != 0 || second.Moments[0].Kind != "retried" {
			t.Errorf("the second attempt's report has the first's past: %+v", second)
		}
		if list, err := r.History("shop"); err != nil || len(list) != 2 {
			t.Errorf("history %v, error %v", list, err)
		}
		r.wantAudit("abort", "retry", "abort", "promote", "resume", "pause")
	})
}

// do orders something that works.
func (r *rig) do(service string, c Command) {
	r.t.Helper()
	if _, err := r.Do(service, c); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
}

// wantAudit checks what was ordered, the latest first.
func (r *rig) wantAudit(want ...string) []AuditEntry {
	r.t.Helper()
	entries, err := r.Audit(100)
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, string(e.Command))
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("audit %v, want %v", got, want)
	}
	return entries
}

func TestAuditSaysBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent, 50*onePercent))
		r.do("shop", Command{Kind: CommandSetWeight, Weight: 20 * onePercent, Actor: "ann", Reason: "more"})
		if _, err := r.Do("shop", Command{Kind: CommandStart}); err == nil {
			t.Fatal("a running rollout was started")
		}
		e := r.wantAudit("set_weight")[0]
		if e.Actor != "ann" || e.Reason != "more" || e.Weight == nil || *e.Weight != 20*onePercent || e.Service != "shop" ||
			e.Before.Phase != PhaseProgressing || e.Before.Weight != 10*onePercent ||
			e.After.Phase != PhasePaused || e.After.Pause != PauseOperator || e.After.Weight != 20*onePercent {
			t.Errorf("entry %+v", e)
		}
	})
}

func TestReportOfASupersededRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent), quickSpec("cart", 10*onePercent))
		time.Sleep(time.Second)
		newer := quickSpec("shop", 10*onePercent)
		newer.CanaryIdentity = "r2"
		r.configure(newer)
		r.wantReport("shop", report.Superseded, "names another rollout")
		r.wantReport("cart", report.Superseded, "names no canary any more")
		if list, err := r.History(""); err != nil || len(list) != 2 {
			t.Errorf("history %v, error %v", list, err)
		}
	})
}

// What a configuration has ended did not end when the configuration is not put in force.
func TestNoReportOfAReloadThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		refused := errors.New("refused")
		if err := r.Configure(time.Now(), nil, func([]Split) error { return refused }); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		r.wantPhase("shop", PhaseProgressing)
		if list, err := r.History(""); err != nil || len(list) != 0 {
			t.Errorf("history %v, error %v", list, err)
		}
	})
}

// What was promoted or rolled back is stored with its report, or neither is.
func TestReportIsStoredWithTheEnd(t *testing.T) {
	for _, kind := range []CommandKind{CommandAbort, CommandPromoteFull} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.configure(quickSpec("shop", 10*onePercent))
			r.do("shop", Command{Kind: kind, Actor: "ann"})
			// kill -9
			r.reboot()
			got := r.lastReport("shop")
			if want := map[CommandKind]report.Result{CommandAbort: report.Aborted, CommandPromoteFull: report.Promoted}; got.Result != want[kind] {
				t.Errorf("%s: %s", kind, got.Result)
			}
			r.wantAudit(string(kind))
			r.configure(quickSpec("shop", 10*onePercent))
			if list, err := r.History("shop"); err != nil || len(list) != 1 {
				t.Errorf("%s: history %v, error %v", kind, list, err)
			}
		})
	}
}

func TestReportOutlivesAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		defer r.run()()
		r.store.set(errDisk, nil)
		if _, err := r.Do("shop", Command{Kind: CommandPromoteFull, Actor: "ann"}); !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		if list, err := r.History(""); err != nil || len(list) != 0 {
			t.Errorf("there is a report of a promotion that was not made: %v, error %v", list, err)
		}
		r.flow(5*time.Second, traffic{service: "shop", rate: 200, canaryBad: 1})
		r.wantPhase("shop", PhaseRolledBack)
		r.wantReport("shop", report.RolledBack, "the check errors failed")
		r.do("shop", Command{Kind: CommandOverride, Variant: "v1"})
		r.wantAudit("override")
		if r.StoreFailures() == 0 {
			t.Error("nobody counted what failed")
		}
		if list, err := r.store.Ended(""); err != nil || len(list) != 0 {
			t.Fatalf("stored on a full disk: %v, error %v", list, err)
		}
		// A person who tries again and again does not fill the memory.
		for range 3 * owedAudit {
			r.do("shop", Command{Kind: CommandOverride, Variant: "v1"})
			r.do("shop", Command{Kind: CommandClearOverride})
		}
		r.Manager.mu.Lock()
		owed := r.Manager.runners["shop"].owed
		r.Manager.mu.Unlock()
		if len(owed.audit) > owedAudit || len(owed.endings) != 1 {
			t.Errorf("%d entries and %d reports wait", len(owed.audit), len(owed.endings))
		}
		r.store.set(nil, nil)
		time.Sleep(2 * checkpointEvery)
		synctest.Wait()
		if list, err := r.store.Ended(""); err != nil || len(list) != 1 {
			t.Errorf("%d reports once the disk has room, error %v", len(list), err)
		}
		r.Manager.mu.Lock()
		defer r.Manager.mu.Unlock()
		if owed := r.Manager.runners["shop"].owed; len(owed.audit)+len(owed.endings) != 0 {
			t.Errorf("still owed: %+v", owed)
		}
	})
}

// A promotion whose store hung was not made, even if its report reaches the disk late.
func TestNoReportOfAPromotionThatWasNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(quickSpec("shop", 10*onePercent))
		hang := make(chan struct{})
		r.store.set(nil, hang)
		if _, err := r.Do("shop", Command{Kind: CommandPromoteFull, Actor: "ann"}); !errors.Is(err, errSlow) {
			t.Fatal(err)
		}
		r.store.set(nil, nil)
		close(hang)
		synctest.Wait()
		stored, err := r.store.Ended("shop")
		if err != nil || len(stored) != 1 {
			t.Fatalf("stored %v, error %v", stored, err)
		}
		if list, err := r.History("shop"); err != nil || len(list) != 0 {
			t.Errorf("history %v, error %v", list, err)
		}
		if _, err := r.Report(stored[0].ID); !errors.Is(err, ErrNoReport) {
			t.Errorf("error %v", err)
		}
		r.do("shop", Command{Kind: CommandAbort, Actor: "ann"})
		r.wantReport("shop", report.Aborted, "ann ordered it")
	})
}

// damagedStore begins empty because what it had is lost.
type damagedStore struct {
	store.Store
	damage   error
	accepted bool
}

func (d *damagedStore) Damage() error { return d.damage }

func (d *damagedStore) Accept() error {
	d.accepted = true
	return d.Store.Accept()
}

// After a loss nobody knows what was rolled back: nothing starts by itself.
func TestLostStateKeepsEverythingOnStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		damaged := &damagedStore{Store: r.store.Store, damage: errors.New("page 7 is nowhere")}
		r.store.Store = damaged
		r.reboot()
		r.store.set(errDisk, nil)
		for _, s := range r.configure(quickSpec("shop", 10*onePercent)) {
			if !s.RolledBack || s.Weight != 0 {
				t.Errorf("split %+v", s)
			}
		}
		if damaged.accepted {
			t.Error("the loss was accepted, and nothing is stored that follows from it")
		}
		r.store.set(nil, nil)
		r.reboot()
		r.configure(quickSpec("shop", 10*onePercent))
		if v := r.wantPhase("shop", PhaseRolledBack); !strings.Contains(v.Reason, "page 7 is nowhere") {
			t.Errorf("reason %q", v.Reason)
		}
		if !damaged.accepted {
			t.Error("the loss is not accepted")
		}
		if list, err := r.History(""); err != nil || len(list) != 0 {
			t.Errorf("a refused rollout has a report: %v, error %v", list, err)
		}
		// What comes later is none of it, and an operator can go on.
		r.configure(quickSpec("shop", 10*onePercent), quickSpec("cart", 10*onePercent))
		r.wantPhase("cart", PhaseProgressing)
		r.do("shop", Command{Kind: CommandRetry})
		r.wantPhase("shop", PhaseProgressing)
	})
}

func TestUnknownReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if _, err := r.Report("nobody"); !errors.Is(err, ErrNoReport) {
			t.Error(err)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for i := range store.EndingsPerService + 10 {
			spec := quickSpec("shop", 10*onePercent)
			spec.CanaryIdentity = fmt.Sprint(i)
			r.configure(spec)
			time.Sleep(time.Second)
		}
		list, err := r.History("shop")
		if err != nil || len(list) != store.EndingsPerService {
			t.Errorf("%d ended rollouts, error %v", len(list), err)
		}
	})
}
