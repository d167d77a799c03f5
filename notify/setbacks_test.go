package notify

import (
	"encoding/json"
	"testing"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// A person is told at once of a failed check that holds the clock, and of as many users as are allowed, with what to do about it.
func TestHeldChecksAndExposedUsersNeedAPerson(t *testing.T) {
	r := &room{}
	left := []rollout.LossView{{Kind: rollout.LossUsers, Limit: 100, Spent: 100}}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.announce("a", rollout.Event{Kind: rollout.EventHold, Weight: percent, Reason: "the check p99 failed; the policy holds"},
			func(v *rollout.View) {
				v.Phase, v.Hold, v.Reason = rollout.PhaseProgressing, rollout.HoldCheck, "the check p99 failed; the policy holds"
			})
		w.announce("b", rollout.Event{Kind: rollout.EventPaused, Weight: percent, Reason: "the budget is spent"}, func(v *rollout.View) {
			v.Phase, v.Pause, v.Budget.Kinds = rollout.PhasePaused, rollout.PauseExposed, left
		})
		time.Sleep(2 * time.Hour)
	})
	expectTexts(t, r, "a: the clock of v2 stands still at 1 %: the check p99 failed; the policy holds", "b: v2 is paused at 1 %: the budget is spent")
	var told []struct{ Data data }
	for _, p := range r.got() {
		var e struct{ Data data }
		if err := json.Unmarshal([]byte(p.body), &e); err != nil {
			t.Fatal(err)
		}
		told = append(told, e)
	}
	if d := told[0].Data; d.Needs != needCheck || len(d.Commands) != 2 || d.Commands[1] != "haldane promote a" {
		t.Errorf("%+v", d)
	}
	if d := told[1].Data; d.Needs != needExposed || len(d.Commands) != 2 || d.Commands[0] != "haldane resume b" || len(d.Budget) != 1 {
		t.Errorf("%+v", d)
	}
}

// A rollback that Haldane follows up by itself needs nobody; the last one does. A step back is told to those who want all.
func TestRetriesByItselfNeedNobody(t *testing.T) {
	for when, want := range map[string][]string{
		config.WhenNeedsPerson: {"v2 rolled back: no more"},
		config.WhenAll: {
			"v2 goes back to step 1 of 4 at 1 %: the check errors failed", "v2 rolled back at 1 %: again", "v2 is tried again, attempt 1",
			"v2 rolled back: no more",
		},
	} {
		r := &room{}
		play(t, one(target{when: when}), r, func(w *world, _ *Notifier) {
			w.announce("a", rollout.Event{Kind: rollout.EventSteppedBack, Weight: percent, Reason: "the check errors failed"}, func(v *rollout.View) {
				v.Phase = rollout.PhaseProgressing
			})
			time.Sleep(time.Minute)
			rolledBack := rollout.Event{Kind: rollout.EventRolledBack, Trigger: rollout.TriggerCheck, Reason: "again"}
			w.announce("a", rolledBack, func(v *rollout.View) {
				v.Phase, v.RetryAt = rollout.PhaseRolledBack, time.Now().Add(time.Minute)
			})
			time.Sleep(time.Minute)
			w.announce("a", rollout.Event{Kind: rollout.EventRetried}, func(v *rollout.View) {
				v.Phase, v.RetryAt = rollout.PhaseProgressing, time.Time{}
			})
			time.Sleep(time.Minute)
			rolledBack.Reason = "no more"
			w.announce("a", rolledBack, func(v *rollout.View) { v.Phase = rollout.PhaseRolledBack })
			time.Sleep(time.Minute)
		})
		expectTexts(t, r, want...)
	}
}

// Nor is there an alert before the last rollback.
func TestRetriesByItselfAreNoAlert(t *testing.T) {
	r := &room{}
	play(t, one(target{door: door{kind: config.TargetAlertmanager}}), r, func(w *world, _ *Notifier) {
		rolledBack := rollout.Event{Kind: rollout.EventRolledBack, Trigger: rollout.TriggerCheck}
		w.announce("a", rolledBack, func(v *rollout.View) {
			v.Phase, v.RetryAt = rollout.PhaseRolledBack, time.Now().Add(time.Hour)
		})
		time.Sleep(10 * time.Minute)
		if got := len(r.got()); got != 0 {
			t.Errorf("%d alerts", got)
		}
		w.announce("a", rolledBack, func(v *rollout.View) { v.Phase, v.RetryAt = rollout.PhaseRolledBack, time.Time{} })
		time.Sleep(time.Minute)
		if got := alerts(t, r); len(got) == 0 || got[0].Labels["reason"] != needRolledBack {
			t.Errorf("%+v", got)
		}
	})
}
