package notify

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// alerts are what an Alertmanager was told.
func alerts(t *testing.T, r *room) []postableAlert {
	t.Helper()
	var all []postableAlert
	for _, p := range r.got() {
		var one []postableAlert
		if err := json.Unmarshal([]byte(p.body), &one); err != nil || len(one) != 1 {
			t.Fatalf("%v: %s", err, p.body)
		}
		if p.path != "/hunter2/api/v2/alerts" {
			t.Errorf("told at %s", p.path)
		}
		all = append(all, one[0])
	}
	return all
}

// An alert is told again and again while its condition lasts, always as the same alert, and resolved when it ends.
func TestAlerts(t *testing.T) {
	r := &room{}
	play(t, one(target{door: door{kind: config.TargetAlertmanager}}), r, func(w *world, _ *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventStarted, Weight: percent}, into(rollout.PhaseProgressing))
		time.Sleep(10 * time.Minute)
		if got := len(r.got()); got != 0 {
			t.Errorf("%d alerts though all is well", got)
		}
		w.announce("shop", rollout.Event{Kind: rollout.EventPaused, Reason: "5% is done", Weight: percent}, waiting(rollout.PauseGate))
		time.Sleep(10 * time.Minute)
		lasting := alerts(t, r)
		if len(lasting) < 9 || len(lasting) > 12 {
			t.Errorf("told %d times in ten minutes", len(lasting))
		}
		for i, a := range lasting {
			if a.Labels["reason"] != "approval" || a.Labels["service"] != "shop" || a.Labels["alertname"] != "HaldaneNeedsPerson" ||
				!a.StartsAt.Equal(lasting[0].StartsAt) || a.EndsAt.Sub(r.got()[i].at) < 3*alertEvery {
				t.Errorf("%+v", a)
			}
		}
		w.announce("shop", rollout.Event{Kind: rollout.EventRolledBack, Trigger: rollout.TriggerBudget}, into(rollout.PhaseRolledBack))
		time.Sleep(10 * time.Second)
		after := alerts(t, r)[len(lasting):]
		if len(after) != 2 || after[0].Labels["reason"] != "approval" || after[0].EndsAt.After(time.Now()) ||
			after[1].Labels["reason"] != "rolled_back" || !after[1].EndsAt.After(time.Now()) {
			t.Errorf("after the rollback: %+v", after)
		}
		w.mu.Lock()
		delete(w.views, "shop")
		w.mu.Unlock()
		time.Sleep(time.Minute)
		told := len(r.got())
		if last := alerts(t, r)[told-1]; last.Labels["reason"] != "rolled_back" || last.EndsAt.After(time.Now()) {
			t.Errorf("when it is gone: %+v", last)
		}
		time.Sleep(time.Hour)
		if len(r.got()) != told {
			t.Error("told of what is over")
		}
	})
}

func TestAlertOfAReload(t *testing.T) {
	r := &room{}
	play(t, one(target{door: door{kind: config.TargetAlertmanager}}), r, func(_ *world, n *Notifier) {
		n.Reloaded(time.Now(), errors.New("bad"))
		time.Sleep(10 * time.Second)
		n.Reloaded(time.Now(), nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
	})
	got := alerts(t, r)
	if len(got) != 2 || got[0].Labels["reason"] != "reload" || got[1].Labels["reason"] != "reload" || got[1].EndsAt.After(r.got()[1].at) {
		t.Errorf("%+v", got)
	}
	if _, there := got[0].Labels["service"]; there {
		t.Error("a reload is about no service")
	}
}

// A process that starts finds what lasts.
func TestAlertAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.happen("shop", rollout.Event{Kind: rollout.EventRolledBack, Trigger: rollout.TriggerCheck}, into(rollout.PhaseRolledBack))
		time.Sleep(time.Hour)
		f := newFollower(w, time.Now())
		f.settings, f.queues = one(target{door: door{kind: config.TargetAlertmanager}}), map[string]*queue{"room": newQueue("room")}
		f.lookAll(time.Now())
		if m, some := f.queues["room"].head(); !some || m.needs != needRolledBack || !m.alert.starts.Before(f.born) {
			t.Errorf("%v %+v", some, m)
		}
	})
}
