package notify

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// play runs a notifier in a bubble: time passes only when everybody waits.
func play(t *testing.T, s *Settings, r *room, script func(w *world, n *Notifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		n := newNotifier(t, w, r)
		n.Use(s)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		synctest.Wait()
		script(w, n)
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > flushLongest {
			t.Errorf("the end took %v", took)
		}
	})
}

// texts are what a webhook was told.
func texts(t *testing.T, r *room) []string {
	t.Helper()
	var all []string
	for _, p := range r.got() {
		var e event
		if err := json.Unmarshal([]byte(p.body), &e); err != nil {
			t.Fatalf("%v: %s", err, p.body)
		}
		all = append(all, e.Data.Text)
	}
	return all
}

func expectTexts(t *testing.T, r *room, want ...string) {
	t.Helper()
	got := texts(t, r)
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("message %d is %q, want %q", i, got[i], want[i])
		}
	}
}

// release plays a whole release that is rolled back: six events in little more than four minutes.
func release(w *world) {
	pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
	w.announce("shop", rollout.Event{Kind: rollout.EventCreated}, nil)
	w.announce("shop", rollout.Event{Kind: rollout.EventStarted, Weight: percent}, into(rollout.PhaseProgressing))
	pass(time.Minute)
	w.announce("shop", rollout.Event{Kind: rollout.EventStep, Weight: 5 * percent, Step: 1}, into(rollout.PhaseProgressing))
	pass(time.Minute)
	w.announce("shop", rollout.Event{Kind: rollout.EventPaused, Weight: 5 * percent, Reason: "5% is done and needs an approval"},
		waiting(rollout.PauseGate))
	pass(time.Minute)
	w.announce("shop", rollout.Event{Kind: rollout.EventResumed, Weight: 5 * percent, Actor: "ann"}, into(rollout.PhaseProgressing))
	pass(12 * time.Second)
	w.announce("shop", rollout.Event{
		Kind: rollout.EventRolledBack, Trigger: rollout.TriggerCheck, Reason: "the check errors failed",
		Numbers: "canary 2.31 % of 4,120 failed, stable 0.40 % of 78,000",
	}, into(rollout.PhaseRolledBack))
	pass(time.Minute)
}

func TestWhatIsTold(t *testing.T) {
	const approval, back = "shop: v2 waits for an approval at 5 %: 5% is done", "shop: v2 rolled back after 3m12s at 5 %: the check errors " +
		"failed; canary 2.31 % of 4,120 failed, stable 0.40 % of 78,000."
	for when, want := range map[string][]string{
		config.WhenNeedsPerson: {approval, back},
		config.WhenEnded:       {approval, back},
		config.WhenAll: {
			"shop: the release of v2 has begun at 1 %. (2 events, the last: created, started)", "goes on to step 2 of 4 at 5 %",
			approval, "shop: v2 resumed at 5 % (by ann).", back,
		},
	} {
		t.Run(when, func(t *testing.T) {
			r := &room{}
			play(t, one(target{when: when}), r, func(w *world, _ *Notifier) { release(w) })
			expectTexts(t, r, want...)
		})
	}
	r := &room{}
	play(t, one(target{services: []string{"checkout", "s?op?"}}), r, func(w *world, _ *Notifier) { release(w) })
	expectTexts(t, r)
}

func TestWhatNeedsNobody(t *testing.T) {
	r := &room{}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.announce("a", rollout.Event{Kind: rollout.EventCreated}, nil)
		w.announce("a", rollout.Event{Kind: rollout.EventPaused, Actor: "ann"}, waiting(rollout.PauseOperator))
		w.announce("a", rollout.Event{Kind: rollout.EventRolledBack, Actor: "ann", Trigger: rollout.TriggerOperator}, into(rollout.PhaseRolledBack))
		w.announce("b", rollout.Event{Kind: rollout.EventPromoted}, into(rollout.PhasePromoted))
		w.announce("c", rollout.Event{Kind: rollout.EventHold}, func(v *rollout.View) { v.Phase, v.Hold = rollout.PhaseProgressing, rollout.HoldOverride })
		time.Sleep(time.Hour)
	})
	expectTexts(t, r)
}

func TestManualStartAndLongHold(t *testing.T) {
	r := &room{}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.announce("a", rollout.Event{Kind: rollout.EventCreated}, func(v *rollout.View) { v.NeedsPerson = true })
		w.announce("b", rollout.Event{Kind: rollout.EventHold, Weight: percent}, func(v *rollout.View) {
			v.Phase, v.Hold, v.Reason = rollout.PhaseProgressing, rollout.HoldNoTraffic, "no canary traffic for 15m"
		})
		time.Sleep(14 * time.Minute)
		expectTexts(t, r, "a: v2 waits to be started")
		time.Sleep(time.Hour)
	})
	expectTexts(t, r, "a: v2 waits to be started", "b: the clock of v2 stands still at 1 % for 15m")
}

// What the subscription lost, and did not even say that it lost, is told all the same.
func TestLostEventsAreReadFromTheViews(t *testing.T) {
	for _, marked := range []string{"marked", "unmarked"} {
		r := &room{}
		play(t, one(target{}), r, func(w *world, _ *Notifier) {
			w.happen("shop", rollout.Event{Kind: rollout.EventCreated}, nil)
			w.happen("shop", rollout.Event{Kind: rollout.EventRolledBack, Trigger: rollout.TriggerBudget, Reason: "the budget is spent"}, into(rollout.PhaseRolledBack))
			if marked == "marked" {
				w.events <- rollout.Event{Kind: rollout.EventLost, Lost: 2}
				time.Sleep(5 * time.Second)
			} else {
				time.Sleep(lookEvery + 5*time.Second)
			}
			expectTexts(t, r, "the budget is spent")
			time.Sleep(time.Hour)
		})
		expectTexts(t, r, "the budget is spent")
	}
}

// What happened before the process began is not told again, but a rollout that goes on and waits says so.
func TestRestart(t *testing.T) {
	r := &room{}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.happen("old", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		w.happen("shop", rollout.Event{Kind: rollout.EventPaused, Weight: percent}, waiting(rollout.PauseUndecided))
		time.Sleep(time.Minute)
		n := newNotifier(t, w, r)
		n.Use(one(target{}))
		w.happen("shop", rollout.Event{Kind: rollout.EventRestored, Weight: percent}, waiting(rollout.PauseUndecided))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	expectTexts(t, r, "shop: the release of v2 is paused after a restart at 1 %")
}

// A rollout that another one replaces is told of, although its view is gone.
func TestSuperseded(t *testing.T) {
	r := &room{}
	play(t, one(target{when: config.WhenAll}), r, func(w *world, _ *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventCreated}, nil)
		time.Sleep(time.Minute)
		w.announce("shop", rollout.Event{Kind: rollout.EventSuperseded}, func(v *rollout.View) { v.Phase = rollout.PhaseSuperseded })
		w.mu.Lock()
		delete(w.views, "shop")
		w.mu.Unlock()
		time.Sleep(time.Minute)
		w.announce("shop", rollout.Event{Kind: rollout.EventCreated}, func(v *rollout.View) { v.ID, v.Canary = "e5", "v3" })
	})
	expectTexts(t, r, "v2 is to be released", "v2 superseded", "v3 is to be released")
}

func TestReloads(t *testing.T) {
	r := &room{}
	bad := errors.New("haldane.yaml:3:1: listen: bad\nhaldane.yaml:4:1: admin: worse")
	play(t, one(target{when: config.WhenAll}), r, func(_ *world, n *Notifier) {
		for range 3 {
			n.Reloaded(time.Now(), bad)
			time.Sleep(time.Minute)
		}
		n.Reloaded(time.Now(), nil)
		time.Sleep(time.Minute)
		n.Reloaded(time.Now(), nil)
	})
	expectTexts(t, r, "the old one stays: haldane.yaml:3:1: listen: bad (and 1 more)", "The configuration was reloaded")
	r = &room{}
	play(t, one(target{when: config.WhenAll, services: []string{"*"}}), r, func(_ *world, n *Notifier) { n.Reloaded(time.Now(), bad) })
	expectTexts(t, r)
}
