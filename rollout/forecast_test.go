package rollout

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// A forecast is kept: a canary as good as stable takes about the time that was told, and finds what was told.
func TestForecastIsKept(t *testing.T) {
	for _, rate := range []float64{10, 30, 100, 500} {
		w := newWorld()
		w.run(t, []string{"spec steps=5%,50% duration=1m bake=2m", fmt.Sprintf("load rate=%v canary_bad=0.5%% stable_bad=0.5%%", rate)})
		f := NewForecast(&w.state.Policy, rate, 0.005)
		w.run(t, []string{"until baking 3h"})
		if w.state.Phase != PhaseBaking {
			t.Fatalf("at %v/s: %s", rate, w.state.Phase)
		}
		took, told := w.now.Sub(w.start), time.Duration(f.Stages[0].Takes+f.Stages[1].Takes)
		if ratio := took.Seconds() / told.Seconds(); ratio < 0.8 || ratio > 1.25 {
			t.Errorf("at %v/s it took %v, told was %v", rate, took, told)
		}
		got := w.state.Verdict.Checks[0]
		want := f.Stages[1].Checks[0]
		if math.Abs(got.Detectable/want.Finds-1) > 0.25 || !got.Powered || !want.Enough {
			t.Errorf("at %v/s it finds %v, told was %v", rate, got.Detectable, want.Finds)
		}
	}
}

// What a step still needs is known while it runs, and true.
func TestRestOfAStepIsKept(t *testing.T) {
	w := newWorld()
	w.run(t, []string{"spec steps=50% duration=1m bake=2m", "load rate=20 canary_bad=0.5% stable_bad=0.5%", "advance 3m"})
	state := w.state
	v := state.View(w.now)
	if v.Stage.Missing == 0 || v.Stage.Left == 0 || !strings.Contains(v.Stage.Rest, "left; evidence needs ") {
		t.Fatalf("%+v", v.Stage)
	}
	before, judged := w.now, w.state.StepJudged
	w.run(t, []string{"until baking 3h"})
	if took, told := w.now.Sub(before), time.Duration(v.Stage.Left); math.Abs(took.Seconds()/told.Seconds()-1) > 0.15 {
		t.Errorf("%v were left, told was %v", took, told)
	}
	if need := float64(w.now.Sub(before).Seconds()) * 10; math.Abs(need/float64(v.Stage.Missing)-1) > 0.15 || judged == 0 {
		t.Errorf("%v requests were missing, told was %v", need, v.Stage.Missing)
	}
	now := state.forecast(w.now)
	if now == nil || now.Name != "50%" || len(now.Checks) != 4 || !strings.HasPrefix(now.Sentence, "step 1 (50%, ") {
		t.Errorf("%+v", now)
	}
	if got := (&State{}).forecast(w.now); got != nil {
		t.Errorf("a forecast of nothing: %+v", got)
	}
}

// With too little traffic the forecast says that a person will be asked, and so it is.
func TestForecastOfAPerson(t *testing.T) {
	w := newWorld()
	w.run(t, []string{"spec steps=10%,50% duration=1m bake=2m", "load rate=1"})
	f := NewForecast(&w.state.Policy, 1, 0)
	if last := f.Stages[1]; !f.Asks || f.Stages[0].Asks || !last.Asks || last.Needs <= last.Takes || !strings.HasSuffix(last.Sentence, "so a person is asked") {
		t.Errorf("%+v", f)
	}
	w.run(t, []string{"until paused 3h"})
	if w.state.Pause != PauseUndecided || w.state.Step != 1 {
		t.Errorf("%s %s on step %d", w.state.Phase, w.state.Pause, w.state.Step)
	}
}

func TestForecastWithoutComparison(t *testing.T) {
	p := config.Careful()
	p.Steps = append([]config.Step{{Segment: "staff", Strength: config.Whole, Duration: p.Steps[0].Duration, MinRequests: 50}}, p.Steps...)
	p.Bake.Holdback = 0
	f := NewForecast(&p, 100, 0.001)
	if s := f.Stages[0]; s.Requests != 0 || len(s.Checks) != 0 || s.Asks || !strings.Contains(s.Sentence, "nothing is compared") {
		t.Errorf("%+v", s)
	}
	if s := f.Stages[len(f.Stages)-1]; s.Name != "bake" || len(s.Checks) != 0 {
		t.Errorf("%+v", s)
	}
	p.Checks.Errors.Muted = true
	for _, c := range NewForecast(&p, 100, 0.001).Stages[1].Checks {
		if c.Name == checkErrors {
			t.Error("a muted check is in the forecast")
		}
	}
	if f := NewForecast(&p, 0, 0.001); len(f.Stages) != 0 {
		t.Errorf("without traffic: %+v", f)
	}
	if got := slower(0.99, 0.01); math.Abs(got-1) > 1e-9 {
		t.Errorf("as slow as stable: %v", got)
	}
	if got := slower(0.5, 0.75); math.Abs(got-1.4989) > 1e-3 { // exp(0.6 * 0.6745)
		t.Errorf("three of four above the median: %v", got)
	}
}

// The pace forgets, but not at once, and begins without a delay.
func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1_700_000_000, 0)
	if p.canary(now) != 0 || p.both(now) != 0 {
		t.Error("a pace without requests")
	}
	for n := range 4 * 300 {
		now = now.Add(250 * time.Millisecond)
		p.add(now, 5, 50)
		if n > 8 {
			if got := p.both(now); math.Abs(got/200-1) > 0.2 {
				t.Fatalf("%v after %d ticks, want 200", got, n)
			}
		}
	}
	if got := p.canary(now); math.Abs(got/20-1) > 0.02 {
		t.Errorf("%v, want 20", got)
	}
	if got := p.canary(now.Add(time.Minute)); got > 3 || got < 2 {
		t.Errorf("a minute later %v", got)
	}
	p.add(now.Add(-time.Hour), 5, 50) // a clock that was set back
	if got := p.both(now.Add(-time.Hour)); got != 0 {
		t.Errorf("%v", got)
	}
}
