package rollout

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
)

// take is one rollout with random traffic, recorded as it is judged.
type take struct {
	recording report.Recording
	state     State
	judge     *analysis.Judge
	failed    uint64
	took      time.Duration
}

// scene is the traffic of a take.
type scene struct {
	rate, stable, canary float64
	slower               bool // the canary takes 1.5 times as long
	from                 time.Duration
}

// play plays a policy until it has ended or the limit is over.
func play(p *config.Policy, c scene, seed uint64, limit time.Duration) *take {
	r := rand.New(rand.NewPCG(seed, 3))
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	t := &take{state: newState(Spec{Service: "s", Stable: "a", Canary: "b", Policy: *p}, start, birth{}), judge: analysis.NewJudge(settings(p))}
	act := func(next State, actions []Action) {
		before := t.state.split()
		t.state = next
		for _, a := range actions {
			switch {
			case a.Kind == ActionSplit && a.Split.reweighs(before):
				t.judge.WeightChanged(next.Ticked)
			case a.Kind == ActionNewStep:
				t.judge.NewStep(next.Ticked)
			}
		}
	}
	for now := start; now.Sub(start) < limit && t.state.Phase.Live() && t.state.Phase != PhasePaused; now = now.Add(time.Second) {
		o := Observation{Spent: t.failed}
		if t.state.Phase.exposing() {
			b := t.draw(r, c, now.Sub(start))
			t.judge.Observe(now, []analysis.Block{b})
			o.Canary = Seen{b.Canary.Bad + b.Canary.Good, b.Canary.Bad}
			o.Stable = Seen{b.Stable.Bad + b.Stable.Good, b.Stable.Bad}
			o.Judged, o.Reference = o.Canary.Requests, o.Stable.Requests
			t.failed += b.Canary.Bad
			o.Spent = t.failed
			keep(t, now, &o, &b)
		}
		o.Verdict = t.judge.Verdict()
		act(Step(t.state, now, o))
		t.took = now.Sub(start)
	}
	return t
}

// keep records what was judged, by the code that records a real rollout.
func keep(t *take, now time.Time, o *Observation, b *analysis.Block) {
	r := &runner{state: t.state, recording: &t.recording}
	r.evidence.split = t.state.split()
	r.record(now, o, []analysis.Block{*b})
}

func (t *take) draw(r *rand.Rand, c scene, at time.Duration) analysis.Block {
	b := analysis.Block{Stratum: stratumSplit, Weight: t.state.split().Weight.Ratio()}
	for range int(c.rate) {
		micros := 1000 * math.Exp(0.6*r.NormFloat64())
		side, bad, latency := &b.Stable, c.stable, &b.StableLatency
		if r.Float64() < b.Weight {
			side, latency = &b.Canary, &b.CanaryLatency
			if at >= c.from {
				bad = c.canary
				if c.slower {
					micros *= 1.5
				}
			}
		}
		if r.Float64() < bad {
			side.Bad++
			continue
		}
		side.Good++
		*latency = append(*latency, analysis.Bucket{Index: analysis.BucketOf(uint64(micros)), Count: 1})
	}
	return b
}

// quickly is a policy with these weights, a minute each.
func quickly(budget int, percents ...config.Percent) config.Policy {
	p := config.Careful()
	p.Steps, p.Budget.FailedRequests, p.Bake = nil, budget, config.Bake{}
	for _, w := range percents {
		step := config.DefaultStep()
		step.Weight = w * (config.Whole / 100)
		p.Steps = append(p.Steps, step)
	}
	return p
}

// Under the policy that it was recorded under a rollout is replayed as it was: to the second while every second is known, and nearly
// so when it is not.
func TestReplayOfTheSamePolicy(t *testing.T) {
	p := quickly(0, 5, 25, 50)
	for name, c := range map[string]scene{
		"good":   {rate: 100, stable: 0.002, canary: 0.002},
		"bad":    {rate: 100, stable: 0.002, canary: 0.05},
		"late":   {rate: 100, stable: 0.002, canary: 0.1, from: 90 * time.Second},
		"slower": {rate: 100, stable: 0.002, canary: 0.002, slower: true},
	} {
		was := play(&p, c, 1, time.Hour)
		got := NewReplay(&was.recording, &p)
		t.Logf("%s: %s after %s with %d failed, replayed %s after %s with %d, by %q", name, was.state.Phase, was.took, was.failed, got.Phase, got.After, got.Failed, got.Rule)
		if name == "slower" && !got.Ended { // it was decided by the last second, and that is not known by the second
			most := 0.0
			for _, check := range got.Checks {
				most = max(most, check.Evidence/check.Needed)
			}
			if most < 0.1 {
				t.Errorf("%s: only %v of the evidence is left", name, most)
			}
			continue
		}
		exact := time.Duration(was.recording.Latencies.Slot) == time.Second
		if off := math.Abs((time.Duration(got.After) - was.took).Seconds()); got.Phase != was.state.Phase || !got.Ended ||
			exact && (off > 0 || got.Failed != was.failed) || off > 10+0.2*was.took.Seconds() {
			t.Errorf("%s: %s after %s, was %s after %s", name, got.Phase, got.After, was.state.Phase, was.took)
		}
	}
}

// Another policy is judged on what was seen, and says what was not.
func TestReplayOfOthers(t *testing.T) {
	p := quickly(0, 5, 25, 50)
	was := play(&p, scene{rate: 100, stable: 0.002, canary: 0.05}, 2, time.Hour)
	budget := quickly(3, 5, 25, 50)
	if got := NewReplay(&was.recording, &budget); got.Phase != PhaseRolledBack || got.Failed != 3 || time.Duration(got.After) >= was.took || got.Rule == "" {
		t.Errorf("a budget: %+v", got)
	}
	less := quickly(0, 1)
	if got := NewReplay(&was.recording, &less); got.Ended || got.Failed >= was.failed || len(got.Notes) != 2 {
		t.Errorf("a fifth of the users: %+v", got)
	}
	more := quickly(0, 50)
	if got := NewReplay(&was.recording, &more); got.Phase != PhaseRolledBack || got.After != config.Duration(was.took) || len(got.Notes) != 2 {
		t.Errorf("more users: %+v, took %s", got, was.took)
	}
	gate := quickly(0, 5, 25)
	gate.Steps[0].Approval = true
	good := play(&p, scene{rate: 100, stable: 0.002, canary: 0.002}, 2, time.Hour)
	if got := NewReplay(&good.recording, &gate); got.Phase != PhasePromoted || got.Failed > good.failed {
		t.Errorf("an approval: %+v", got)
	}
	if got := NewReplay(&report.Recording{}, &p); got.Ended || got.Requests != 0 {
		t.Errorf("nothing: %+v", got)
	}
}

// A part of the requests is that part, spread evenly, whatever their number.
func TestThinnedRequestsAreTheirPart(t *testing.T) {
	tape := newTape(&report.Recording{})
	d := drawn{stratum: 1, reels: &tape}
	for _, keep := range []float64{0.01, 0.3, 0.99} {
		clear(tape.counts.thin)
		kept := uint64(0)
		for range 10_000 {
			kept += d.thin(thinGood, 3, keep)
		}
		if math.Abs(float64(kept)-30_000*keep) > 1 {
			t.Errorf("%v of 30000 are %d", keep, kept)
		}
	}
	for _, of := range []int{1, 7, 64} {
		for phase := range uint64(9) {
			sum := uint64(0)
			for second := range of {
				sum += moment{second, of}.part(1000, phase)
			}
			if sum != 1000 {
				t.Errorf("%d seconds hold %d", of, sum)
			}
		}
	}
	if part, weight := thinned(config.Whole/10, config.Whole/2); math.Abs(part-1./9) > 1e-9 || weight != config.Whole/10 {
		t.Errorf("%v at %v", part, weight)
	}
}

// What a recording does not know does not stop a replay: a night, a hook, a list, the numbers of the business.
func TestReplayLeavesGatesOut(t *testing.T) {
	p := quickly(0, 5, 25, 50)
	was := play(&p, scene{rate: 100, stable: 0.002, canary: 0.002}, 1, time.Hour)
	p.Steps[0].Checklist = []string{"looked at"}
	p.Hooks.PreRollout = []config.Hook{{Name: "tests", Failures: 3}}
	p.Hooks.ConfirmTrafficIncrease = []config.Hook{{Name: "more"}}
	p.Freezes = []config.Freeze{{To: 1 << 40, Reason: "for ever"}}
	p.Windows = []config.Window{{From: 60, To: 61}}
	p.Checks.Metrics = map[string]config.MetricCheck{"orders": {
		Source: config.SourcePosted, Kind: config.KindRatio, Direction: config.DirectionDown, Critical: true, MinRequests: 50,
	}}
	p.Budget.ExposedUsers = 10
	got := NewReplay(&was.recording, &p)
	if got.Phase != PhasePromoted || len(got.Notes) < 3 {
		t.Errorf("%s by %q, notes %q", got.Phase, got.Rule, got.Notes)
	}
	if p.Steps[0].Checklist == nil || p.Checks.Metrics["orders"].Muted {
		t.Error("the policy was changed")
	}
}
