package rollout

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// growing is the built-in policy with a ramp in the place of its steps.
func growing() config.Policy {
	p := config.Careful()
	p.Steps, p.Ramp = nil, &config.Ramp{
		From: onePercent, To: 50 * onePercent, Every: config.Duration(time.Minute), MaxDuration: config.Duration(2 * time.Hour),
		MinRequests: 50, AdvanceWhen: config.AdvanceNoRegression,
	}
	return p
}

// staging gives a random spec stages, early users, checks of steps and, sometimes, a ramp.
func (r *walk) staging(spec *Spec) {
	p := &spec.Policy
	for i := range p.Steps {
		s := &p.Steps[i]
		if r.IntN(3) == 0 {
			s.OptIn = []string{config.LevelAlpha, config.LevelBeta}[r.IntN(2)]
		}
		if r.IntN(3) == 0 {
			s.Checks = []string{[]string{"errors", "p50"}[r.IntN(2)]}
		}
		s.Stage = []string{"", "early", "general"}[r.IntN(3)]
	}
	p.RestartFactor = config.Percent(1 + r.Uint64N(uint64(config.Whole)))
	if r.IntN(3) > 0 {
		return
	}
	every := config.Duration(r.IntN(10)) * config.Duration(time.Second)
	ramp := config.Ramp{
		From: config.Percent(1 + r.Uint64N(uint64(config.Whole/10))), Every: every, MinRequests: r.IntN(50),
		MaxDuration: every + config.Duration(r.IntN(300))*config.Duration(time.Second), MaxFailures: r.IntN(2) * r.IntN(50),
		AdvanceWhen: config.AdvanceNoRegression, Approval: r.IntN(4) == 0,
	}
	ramp.To = ramp.From + config.Percent(r.Uint64N(uint64(config.Whole*8/10)))
	p.Ramp, p.Steps = &ramp, nil
	*p = p.Steady()
}

// checkExposure holds that nobody is exposed whom the step does not name, by weight, by segment or by having opted in, and that a
// ramp grows at most twofold, within its bounds, and only while it progresses.
func checkExposure(old, next State, fail func(string)) {
	split := next.split()
	if !next.Phase.exposing() || next.Manual != nil || next.Override != "" {
		return
	}
	if next.Bake {
		if last := next.Policy.Steps[len(next.Policy.Steps)-1]; split.Segment != last.Segment || split.OptIn != last.OptIn {
			fail("the bake exposes others than the last step")
		}
		return
	}
	step := next.Policy.Steps[next.Step]
	was, is := old.Staging.Ramp.Weight, next.Staging.Ramp.Weight
	switch ramp := next.Policy.Ramp; {
	case split.Weight > step.Weight:
		fail("more is exposed than the step says")
	case ramp == nil && split.Weight != step.Weight:
		fail("another weight than the step's")
	case split.Segment != step.Segment || split.OptIn != step.OptIn:
		fail("others are exposed than the step says")
	case step.Group() == "" && split.Strength != 0 || step.Group() != "" && split.Strength != step.Strength:
		fail("another strength than the step's")
	case ramp != nil && (is > ramp.To || is == 0):
		fail("a ramp left its bounds")
	case ramp != nil && old.Policy.Ramp != nil && old.Attempt == next.Attempt && old.Phase.exposing() && !old.Bake && is > 2*was:
		fail("a ramp grew more than twofold")
	case ramp != nil && old.Phase == PhasePaused && next.Phase == PhasePaused && is != was:
		fail("a ramp grew while the rollout was paused")
	}
}

// raises is checked against what it means with early users as well: some user may be on the canary who was not.
func TestRaisesWithEarlyUsers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	shares := []config.Percent{0, 1, config.Whole / 2, config.Whole}
	random := func() Split {
		d := Split{Stable: "v1", Canary: "v2", Weight: shares[r.IntN(4)]}
		d.Segment = []string{"", "staff", "testers"}[r.IntN(3)]
		d.OptIn = []string{"", config.LevelAlpha, config.LevelBeta}[r.IntN(3)]
		if d.grouped() {
			d.Strength = shares[1+r.IntN(3)]
		}
		return d
	}
	// takes says whether a user is on the canary who is in some of the segments, has opted in or not, and is drawn below a share.
	takes := func(d Split, segments, level int, share config.Percent) bool {
		staff, testers := segments&1 > 0, segments&2 > 0
		member := d.Segment == "staff" && staff || d.Segment == "testers" && testers ||
			d.OptIn == config.LevelAlpha && level == 2 || d.OptIn == config.LevelBeta && level >= 1
		if member {
			return d.Strength >= share
		}
		return d.Weight >= share
	}
	some := 0
	for range 20_000 {
		before, after := random(), random()
		exposed := false
		for segments := range 4 {
			for level := range 3 {
				for _, share := range shares[1:] {
					exposed = exposed || takes(after, segments, level, share) && !takes(before, segments, level, share)
				}
			}
		}
		if exposed != after.raises(before) {
			t.Fatalf("from %+v\nto   %+v: raises is %v", before, after, after.raises(before))
		}
		if exposed {
			some++
		}
	}
	if some == 0 || some == 20_000 {
		t.Errorf("%d of 20000 raise", some)
	}
}

// A step that is cut short has never more than it had, nor less than its checks need or its share, whichever is more.
func TestShortenedSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		p, step := config.Careful(), config.DefaultStep()
		p.RestartFactor = config.Percent(1 + r.Uint64N(uint64(config.Whole)))
		step.Duration = config.Duration(r.Int64N(int64(time.Hour)))
		step.MinRequests = r.IntN(2000)
		if r.IntN(2) == 0 {
			step.Checks = []string{[]string{"errors", "p50", "p99"}[r.IntN(3)]}
		}
		first := r.IntN(2) == 0
		need, short := needs(&step, &p, first), shortened(step, &p, first)
		share := p.RestartFactor.Ratio()
		switch {
		case short.Duration > step.Duration || short.MinRequests > step.MinRequests:
			t.Fatalf("longer: %+v from %+v", short, step)
		case short.Duration < min(need.time, step.Duration) || short.MinRequests < min(need.requests, step.MinRequests):
			t.Fatalf("less than needed (%+v): %+v from %+v", need, short, step)
		case float64(short.Duration) < math.Floor(float64(step.Duration)*share) || float64(short.MinRequests) < math.Floor(float64(step.MinRequests)*share):
			t.Fatalf("less than the share %v: %+v from %+v", share, short, step)
		}
	}
	p, step := config.Careful(), config.DefaultStep()
	if n := needs(&step, &p, true); n.time != config.Duration(75*time.Second) || n.requests != 500 {
		t.Errorf("a first step needs %+v", n)
	}
	if n := needs(&step, &p, false); n.time != config.Duration(15*time.Second) {
		t.Errorf("another step needs %+v", n)
	}
	step.Checks = []string{"errors"}
	if n := needs(&step, &p, true); n.time != config.Duration(3*time.Second) || n.requests != 50 {
		t.Errorf("a step for errors needs %+v", n)
	}
}

// The more is known of a canary, and the more may be risked, the farther a ramp may go; more traffic never takes it farther.
func TestRiskOfARamp(t *testing.T) {
	p := config.Careful()
	at := func(worst, perSecond, left float64) config.Percent {
		r := risk{
			settings: settings(&p), stable: 0.005, worst: worst, gross: 0.019, clusters: 1, perSecond: perSecond,
			delay: 3500 * time.Millisecond, left: left,
		}
		next, why := r.farthest(onePercent, 50*onePercent)
		if (next == 0) != (why != "") {
			t.Errorf("%s: %q", next, why)
		}
		if next > 2*onePercent {
			t.Errorf("from 1%% to %s", next)
		}
		return next
	}
	free := math.Inf(1)
	if got := at(0.05, 100, free); got != 2*onePercent {
		t.Errorf("little is risked, and the ramp goes to %s", got)
	}
	if got := at(1, 100_000, free); got != 0 {
		t.Errorf("nothing is known, and the ramp goes to %s", got)
	}
	if got := at(0.05, 100, 1); got != 0 {
		t.Errorf("nothing may be risked, and the ramp goes to %s", got)
	}
	kinds := map[bool]int{}
	for _, worst := range []float64{0.02, 0.05, 0.2, 1} {
		for _, left := range []float64{1, 5, 20, 40, 100, free} {
			last := config.Percent(config.Whole)
			for _, perSecond := range []float64{1, 10, 100, 1000, 5000, 10_000, 100_000} {
				next := at(worst, perSecond, left)
				if next > last {
					t.Errorf("worst %v, left %v: %s at %v/s, %s with less traffic", worst, left, next, perSecond, last)
				}
				if more := at(worst, perSecond, left*2); more < next {
					t.Errorf("worst %v at %v/s: %s, but %s with twice as much left", worst, perSecond, next, more)
				}
				last = next
				kinds[next > 0]++
			}
		}
	}
	if kinds[true] == 0 || kinds[false] == 0 {
		t.Errorf("%v", kinds)
	}
	if got := plainWeight(float64(onePercent) * 1.4142); got != onePercent*14/10 {
		t.Errorf("a weight of %s", got)
	}
}

// A ramp waits for traffic, and a rollout that is not on a ramp has none.
func TestRampWithoutTraffic(t *testing.T) {
	p := growing()
	s := State{Policy: p.Steady(), Phase: PhaseProgressing, Deadline: time.Hour}
	s.Spec.Policy = s.Policy
	s.Staging.Ramp.Weight, s.Clock, s.StepJudged = onePercent, 10*time.Minute, 1000
	now := time.Unix(1_700_000_000, 0)
	s.LastCanary, s.StepRequests = now, 1000
	if next, _ := s.growth(now); next != 0 {
		t.Errorf("without traffic it grows to %s", next)
	}
	s.Pace.add(now.Add(-time.Second), 1, 100)
	s.Pace.add(now, 1, 100)
	s.Verdict.Checks = []analysis.CheckVerdict{{Name: checkErrors, Score: 50, StableRate: 0.005, Gross: 0.019, Detectable: 0.05}}
	if next, why := s.growth(now); next != 2*onePercent {
		t.Errorf("%s %s", next, why)
	}
	s.Staging.Ramp.Judged = s.StepJudged
	if next, _ := s.growth(now); next != 0 {
		t.Errorf("nothing was compared at this weight, and it grows to %s", next)
	}
	s.Staging.Ramp.Judged, s.Verdict.Checks[0].Score = 0, 49
	if next, _ := s.growth(now); next != 0 {
		t.Errorf("it leans to harm, and grows to %s", next)
	}
	s.Policy = config.Careful()
	if s.climbing() || s.rampView() != nil || s.rampStage(2) != 2 {
		t.Error("steps are a ramp")
	}
}
