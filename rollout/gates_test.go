package rollout

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
)

// until is a freeze that has begun long ago.
func until(end time.Time) []config.Freeze {
	return []config.Freeze{{From: 1, To: config.Moment(end.Unix()), Reason: "holidays"}}
}

// The loop looks at a rollout on which nothing happens in another way than at one with traffic; a freeze holds, and ends, for both.
func TestAFreezeHoldsTheLoop(t *testing.T) {
	for name, rate := range map[string]int{"busy": 200, "quiet": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				spec := quickSpec("shop", 5*onePercent, 50*onePercent)
				spec.Policy.Freezes = until(time.Now().Add(2 * time.Minute))
				r.configure(spec)
				defer r.run()()
				r.flow(time.Minute, traffic{service: "shop", rate: rate})
				if v := r.wantPhase("shop", PhasePending); v.Hold != HoldFreeze || !v.Gates.Until.Equal(spec.Policy.Freezes[0].To.Time()) || v.Gates.Frozen == "" {
					t.Fatalf("hold %q until %s", v.Hold, v.Gates.Until)
				}
				spec.Policy.Freezes = nil // a reload holds at once
				r.configure(spec)
				r.flow(time.Second, traffic{service: "shop", rate: rate})
				if v := r.wantPhase("shop", PhaseProgressing); v.Weight != 5*onePercent {
					t.Errorf("weight %s", v.Weight)
				}
				spec.Freezes = until(time.Now().Add(time.Minute))
				r.configure(spec)
				r.flow(50*time.Second, traffic{service: "shop", rate: rate})
				v := r.wantPhase("shop", PhaseProgressing)
				if v.Step != 0 || v.Hold != HoldFreeze {
					t.Fatalf("step %d, hold %q", v.Step, v.Hold)
				}
				var frozen *FrozenError
				if _, err := r.Do("shop", Command{Kind: CommandPromote}); !errors.As(err, &frozen) {
					t.Errorf("promote: %v", err)
				}
				r.flow(25*time.Second, traffic{service: "shop", rate: rate})
				if v := r.wantPhase("shop", PhaseProgressing); v.Hold == HoldFreeze || rate > 0 && v.Step == 0 {
					t.Errorf("after the freeze: step %d, hold %q", v.Step, v.Hold)
				}
			})
		})
	}
}

// answerAll answers the questions that there are.
func (r *rig) answerAll(with HookAnswer) int {
	list := r.Questions(time.Now())
	for _, q := range list {
		r.Answer(Answer{Service: q.Service, Place: q.Place, Point: q.Point, Hook: q.Hook, Turn: q.Turn, Answer: with, Text: "SEV1"})
	}
	return len(list)
}

// What a hook has said outlives a process that is killed only as far as it was stored; then the question is asked again, as the same one.
func TestQuestionsAreAskedAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 5*onePercent)
		spec.Policy.Hooks.ConfirmRollout = []config.Hook{{Name: "train", Every: config.Duration(time.Second), Failures: 3}}
		r.configure(spec)
		stop := r.run()
		r.flow(time.Second, traffic{})
		asked := r.Questions(time.Now())
		if len(asked) != 1 || asked[0].Turn != 1 || asked[0].Checksum == "" {
			t.Fatalf("questions: %+v", asked)
		}
		r.store.set(errKilled, nil)
		stop()
		r.store.set(nil, nil)
		r.reboot()
		r.configure(spec)
		defer r.run()()
		r.flow(time.Second, traffic{})
		again := r.Questions(time.Now())
		if len(again) != 1 || again[0].ID() != asked[0].ID() {
			t.Fatalf("questions: %+v, before: %+v", again, asked)
		}
		r.answerAll(HookYes)
		r.flow(time.Second, traffic{})
		r.wantPhase("shop", PhaseProgressing)
		if _, known := r.About("shop"); !known {
			t.Error("nothing is known of shop")
		}
		r.Answer(Answer{Service: "nobody"})
	})
}

// A hook that orders a rollback is obeyed though nothing can be stored, and though the disk hangs.
func TestAHookRollsBackWhateverTheDiskDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 5*onePercent, 50*onePercent)
		spec.Policy.Hooks.Rollback = []config.Hook{{Name: "pager", Every: config.Duration(time.Second)}}
		r.configure(spec)
		stop := r.run()
		r.flow(5*time.Second, traffic{service: "shop", rate: 100})
		stop() // a goroutine that waits for a lock would keep the time of the bubble from passing
		hang := make(chan struct{})
		r.store.set(errDisk, hang)
		r.journal.take()
		began := time.Now()
		go func() { time.Sleep(10 * time.Second); close(hang) }()
		if r.answerAll(HookYes) != 1 {
			t.Fatal("nobody is asked")
		}
		if took := time.Since(began); took > saveTimeout {
			t.Errorf("it took %v", took)
		}
		if got := r.journal.take(); !before(got, "revoke shop", "split shop 0%") {
			t.Errorf("did %v", got)
		}
		v := r.wantPhase("shop", PhaseRolledBack)
		if e := v.History[len(v.History)-1]; e.Trigger != TriggerHook || e.Reason != "the hook pager ordered it: SEV1" {
			t.Errorf("the end is %+v", e)
		}
		if r.answerAll(HookYes) != 0 {
			t.Error("somebody is asked about what is over")
		}
		time.Sleep(11 * time.Second)
		if n := r.Numbers()["shop"].Rollbacks[TriggerHook]; n != 1 {
			t.Errorf("%d rollbacks by hooks", n)
		}
	})
}

// A tick, a forced order and one by a link stand in the audit.
func TestTheAuditKnowsTicksAndForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 5*onePercent, 50*onePercent)
		spec.Policy.Steps[0].Checklist = []string{"dashboards"}
		spec.Freezes = nil
		r.configure(spec)
		for _, c := range []Command{
			{Kind: CommandTick, Item: "dashboards", Actor: "ann"},
			{Kind: CommandPromote, Force: true, Reason: "incident", Actor: "bob"},
		} {
			if _, err := r.Do("shop", c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		audit, err := r.Audit(10)
		if err != nil || len(audit) != 2 {
			t.Fatalf("%+v, %v", audit, err)
		}
		if a := audit[0]; !a.Force || a.Reason != "incident" || a.Actor != "bob" {
			t.Errorf("%+v", a)
		}
		if a := audit[1]; a.Command != CommandTick || a.Item != "dashboards" || a.Actor != "ann" {
			t.Errorf("%+v", a)
		}
	})
}
