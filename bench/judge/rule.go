package main

import (
	"time"

	"haldane/analysis"
)

// rule decides when to roll a release back, from what it is shown.
type rule interface {
	// look returns the moment of the decision, once there is one.
	look(v *view) (at time.Duration, rollBack bool)
}

// contestant is a rule with its name.
type contestant struct {
	name  string
	what  string
	every time.Duration // how often it looks; tickLength: also during the history
	own   bool          // Haldane's
	make  func() rule
}

// contestants is all rules, in the order of the report.
func contestants() []contestant {
	const minute = time.Minute
	return []contestant{
		{
			"Haldane", "errors, p50, p90 and p99 with the default tolerances, alpha 1 %", tickLength, true,
			func() rule { return haldaneRule{} },
		},
		{
			"Haldane, errors", "the same evidence of errors alone: what the default judge has", tickLength, true,
			func() rule { return haldaneRule{check: "errors"} },
		},
		{
			"Flagger", "every minute over a minute: success rate >= 99 %, p99 <= 1.5 x stable's; 5 failed checks", minute, false,
			func() rule { return newFlagger(5) },
		},
		{
			"Flagger, hurried", "the same every 10 s, 2 failed checks", scrapeEvery, false,
			func() rule { return newFlagger(2) },
		},
		{
			"Argo", "the same conditions every minute, failureLimit 3", minute, false,
			func() rule { return newArgo(3) },
		},
		{"Kayenta", "Mann-Whitney on a point a minute (errors 50 %, p50 and p99 50 %), every 5 minutes, marginal 75", minute, false, newKayenta},
		{"z test", "pooled, one-sided 1 %, on the error rate, every minute", minute, false, newZTest},
		{"mSPRT", "Johari et al., on the error rate, tau 1 point, alpha 1 %, every second", time.Second, false, newMSPRT},
		{"Lindon-Malek", "beta mixture on the canary's share of errors, alpha 1 %, every tick", tickLength, false, newLindonMalek},
	}
}

// haldane is the judge as the rollout's loop uses it. Both of Haldane's rules read the verdicts of one.
type haldane struct {
	judge *analysis.Judge
	feed  feed
	ticks int
	asked int
}

func newHaldane(s analysis.Settings) *haldane { return &haldane{judge: analysis.NewJudge(s)} }

// latencyEvery is how often the rollout's loop hands latencies to the judge.
const latencyEvery = time.Second

// feed hands ticks to a judge as the rollout's loop does: failures at every look, latencies every second, and none of those
// that were drawn with another weight.
type feed struct {
	blocks         [1]analysis.Block
	canary, stable []analysis.Bucket // that the judge was not told yet
}

func (f *feed) take(t *tick) []analysis.Block {
	if t.weight != f.blocks[0].Weight {
		f.canary, f.stable = f.canary[:0], f.stable[:0]
	}
	b := t.judged()
	f.canary = append(f.canary, b.CanaryLatency...)
	f.stable = append(f.stable, b.StableLatency...)
	b.CanaryLatency, b.StableLatency = nil, nil
	if t.at%latencyEvery == 0 {
		b.CanaryLatency, b.StableLatency = f.canary, f.stable
		f.canary, f.stable = f.canary[:0], f.stable[:0]
	}
	f.blocks[0] = b
	return f.blocks[:]
}

// fullSettings is the default judge with the usual checks of latency.
func fullSettings() analysis.Settings {
	return analysis.Settings{Checks: append(analysis.Defaults().Checks, analysis.LatencyChecks()...)}
}

// observe shows the judge a tick. A verdict comes seldom, and ever more so: it says when a check failed, so that asking late
// changes nothing but the time the benchmark takes.
func (h *haldane) observe(t *tick) *analysis.Verdict {
	h.judge.Observe(clock(t.at), h.feed.take(t))
	h.ticks++
	if t.at <= 0 || h.ticks < h.asked+max(4, h.asked/20) {
		return nil
	}
	return h.ask()
}

func (h *haldane) ask() *analysis.Verdict {
	h.asked = h.ticks
	v := h.judge.Verdict()
	return &v
}

// haldaneRule reads the verdicts.
type haldaneRule struct{ check string } // the only check that counts; empty for all critical ones

func (r haldaneRule) look(v *view) (at time.Duration, rollBack bool) {
	if v.verdict == nil {
		return 0, false
	}
	for _, c := range v.verdict.Checks {
		if c.Class != analysis.Fail || !c.Critical || r.check != "" && r.check != c.Name {
			continue
		}
		if when := c.FailedAt.Sub(clock(0)); !rollBack || when < at {
			at, rollBack = when, true
		}
	}
	return at, rollBack
}

// clock is the virtual clock: the canary may get requests from some moment within a second on.
func clock(at time.Duration) time.Time { return time.Unix(1_700_000_000, 137_000_000).Add(at) }
