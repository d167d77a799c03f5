package rollout

import (
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
)

// versions is a spec of three steps for a version of the canary.
func versions(revision string) Spec {
	spec := quickSpec("shop", 5*onePercent, 20*onePercent, 50*onePercent)
	spec.CanaryIdentity = revision
	spec.Policy.RestartFactor = 10 * onePercent
	spec.Policy.Checks.Latency = nil
	for i := range spec.Policy.Steps {
		spec.Policy.Steps[i].Duration = config.Duration(time.Minute)
	}
	return spec
}

// What was passed outlives a process that is killed, and a new version that comes while it is down.
func TestSeriesSurvivesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.configure(versions("r1"))
		stop := r.run()
		r.flow(70*time.Second, traffic{service: "shop", rate: 200})
		stop()
		r.reboot()
		r.configure(versions("r2"))
		if d := r.wantPhase("shop", PhaseProgressing).Stage.Duration; d != config.Duration(6*time.Second) {
			t.Errorf("the step that was passed takes %s", d)
		}
		stop = r.run()
		r.flow(10*time.Second, traffic{service: "shop", rate: 200})
		stop()
		r.reboot()
		r.configure(versions("r2"))
		v := r.wantPhase("shop", PhaseProgressing)
		if v.Step != 1 || v.Stage.Duration != config.Duration(time.Minute) {
			t.Errorf("step %d takes %s", v.Step+1, v.Stage.Duration)
		}
		// Another version yet inherits from both; what left the configuration leaves nothing behind.
		r.configure(versions("r3"))
		if d := r.wantPhase("shop", PhaseProgressing).Stage.Duration; d != config.Duration(6*time.Second) {
			t.Errorf("the step that two versions have passed takes %s", d)
		}
		r.configure()
		r.configure(versions("r4"))
		if d := r.wantPhase("shop", PhaseProgressing).Stage.Duration; d != config.Duration(time.Minute) {
			t.Errorf("without a predecessor it takes %s", d)
		}
	})
}

func TestWhatIsInherited(t *testing.T) {
	spec := versions("r2")
	s := State{Spec: versions("r1"), Phase: PhaseSuperseded}
	s.Staging.Series = series{
		Inherited: []passage{{Step: "5%", Weight: 5 * onePercent}, {Stage: "early", Weight: onePercent}},
		Own:       []passage{{Step: "5%", Weight: 3 * onePercent}},
	}
	got := s.bequest(&spec)
	if len(got.Inherited) != 2 || got.Inherited[1] != s.Staging.Series.Own[0] || len(got.Own) != 0 {
		t.Errorf("%+v", got)
	}
	f := func(what string, change func(*State, *Spec)) {
		t.Helper()
		old, next := s, spec
		change(&old, &next)
		if got := old.bequest(&next); len(got.Inherited) != 0 {
			t.Errorf("%s: %+v", what, got)
		}
	}
	f("rolled back", func(s *State, _ *Spec) { s.Phase = PhaseRolledBack })
	f("promoted", func(s *State, _ *Spec) { s.Phase = PhasePromoted })
	f("a check had failed", func(s *State, _ *Spec) { s.Pause = PauseFailed })
	f("another stable", func(_ *State, next *Spec) { next.Stable = "v0" })
	covers := func(step config.Step, want bool) {
		t.Helper()
		if got.covers(&step) != want {
			t.Errorf("%+v: covered is %v", step, !want)
		}
	}
	covers(config.Step{Weight: 3 * onePercent, Name: "5%"}, true)
	covers(config.Step{Weight: 5 * onePercent, Name: "5%"}, false)
	covers(config.Step{Weight: onePercent, Name: "1%"}, false)
	covers(config.Step{Weight: onePercent, Name: "5%", Stage: "early"}, true)
	covers(config.Step{Weight: onePercent, Stage: "general"}, false)
	covers(config.Step{Weight: onePercent, Stage: "early", Segment: "staff", Strength: config.Whole}, false)
}
