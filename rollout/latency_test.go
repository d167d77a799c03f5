package rollout

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// Buckets are counted by one package and judged by another: both must mean the same by a number.
func TestBucketsMeanTheSame(t *testing.T) {
	if stats.Buckets != analysis.NumBuckets {
		t.Fatalf("%d buckets are counted, %d judged", stats.Buckets, analysis.NumBuckets)
	}
	for i := range stats.Buckets + 1 {
		if a, b := stats.BucketLower(i), analysis.LowerEdge(i); a != b {
			t.Fatalf("bucket %d begins at %d and at %d", i, a, b)
		}
	}
	same := func(micros uint64) {
		if a, b := stats.BucketIndex(micros), analysis.BucketOf(micros); a != b {
			t.Fatalf("%d us is in bucket %d and in %d", micros, a, b)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		same(random.Uint64() >> random.UintN(64))
	}
	for shift := range 64 {
		for d := range uint64(5) {
			same(1<<shift + d - 2) // wraps around at zero, which is a number too
		}
	}
}

func TestSettingsOfChecks(t *testing.T) {
	p := config.Careful()
	p.Checks.Errors.Max = onePercent
	p.Checks.WarmUp = 0
	p.Checks.Groups = map[string]config.Percent{"latency": 25 * onePercent}
	p90 := p.Checks.Latency["p90"]
	p.Checks.Latency = config.LatencyChecks{"p90": p90, "b": p90, "p50": p.Checks.Latency["p50"]}
	p90.Max, p90.Muted, p90.Group, p90.Windows = config.Duration(300*time.Millisecond), true, "slo", 5
	p.Checks.Latency["p90"] = p90
	if err := addEvent(&p.Checks, "slow down:429,503,timeout:muted,max=5%"); err != nil {
		t.Fatal(err)
	}
	errors := analysis.Check{
		Name: "errors", Critical: true, Group: "errors", MinRequests: 50, Window: time.Second, Windows: 3, Meaning: "statuses 5xx",
	}
	errorsMax := errors
	errors.Relative, errors.Absolute = 0.1, 0.001
	errorsMax.Name, errorsMax.Max = "errors max", 0.01
	level := analysis.Check{
		Name: "b", Quantile: 0.9, Relative: 0.1, Slack: time.Millisecond, Critical: true, Group: "latency", MinRequests: 50,
		Window: 5 * time.Second, Windows: 3,
	}
	p50, slo := level, level
	p50.Name, p50.Quantile, p50.Relative = "p50", 0.5, 0.05
	slo.Name, slo.Muted, slo.Group, slo.Windows = "p90", true, "slo", 5
	sloMax := slo
	sloMax.Name, sloMax.Relative, sloMax.Slack, sloMax.Bound = "p90 max", 0, 0, 300*time.Millisecond
	event := errors
	event.Name, event.Group, event.Muted, event.Event = "slow down", "events", true, 1
	event.Words, event.Meaning = "answered 429 or 503, or timed out", "statuses 429,503 outcomes timeout"
	eventMax := event
	eventMax.Name, eventMax.Max, eventMax.Relative, eventMax.Absolute = "slow down max", 0.05, 0, 0
	event.Relative, event.Absolute = 0.1, 0.01
	want := analysis.Settings{
		Alpha: 0.01, Beta: 0.05, WarmUp: -1,
		Checks: []analysis.Check{errors, errorsMax, p50, level, slo, sloMax, event, eventMax},
		Groups: []analysis.Group{{Name: "latency", Weight: 0.25}},
	}
	got := settings(&p)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// The default policy asks for the judge's own defaults.
func TestDefaultChecksAreTheJudges(t *testing.T) {
	p := config.Careful()
	want := analysis.Defaults()
	want.Checks = append(want.Checks, analysis.LatencyChecks()...)
	a, b := analysis.NewJudge(want).Verdict(), analysis.NewJudge(settings(&p)).Verdict()
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("verdict before any request (-judge's +policy's):\n%s", diff)
	}
}

func TestLatencyIsDueOnceASecond(t *testing.T) {
	var l latency
	now := time.Unix(1000, 0)
	dirty, due := "", ""
	for i, busy := range "..x.....xxxxxxxxxx......" {
		dirty += string(busy)
		if l.due(now.Add(time.Duration(i)*tickEvery), busy == 'x') {
			due += "!"
		} else {
			due += "."
		}
	}
	// The first is due at once, and so is the first after a silence; the last ones do not wait for more to come.
	if want := "..!.....!...!...!..." + "!..."; due != want {
		t.Errorf("\n%s is when requests ended\n%s is when they were handed over\n%s was expected", dirty, due, want)
	}
	if !l.due(now, true) {
		t.Error("nothing is due after the clock was set back")
	}
}

// timed is traffic whose answers take 5 ms, and for a share of the requests 50 ms.
func timed(service string, canarySlow, stableSlow float64) traffic {
	return traffic{service: service, rate: 400, canarySlow: canarySlow, stableSlow: stableSlow}
}

// Through the whole manager: a slow canary is rolled back after its warm-up, by a check of latency, also when the process is
// killed on the way. An equal one is not.
func TestSlowCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow, equal := quickSpec("slow", 20*onePercent), quickSpec("equal", 20*onePercent)
		for _, spec := range []*Spec{&slow, &equal} {
			spec.Policy.Steps[0].Duration = config.Duration(10 * time.Minute)
			spec.Policy.Steps[0].MaxDuration = config.Duration(time.Hour)
			spec.Policy.Checks.WarmUp = config.Duration(10 * time.Second)
		}
		r.configure(slow, equal)
		stop := r.run()
		r.flow(9*time.Second, timed("slow", 0.10, 0.005))
		for _, c := range r.wantPhase("slow", PhaseProgressing).Verdict.Checks[1:] {
			if c.CanaryTotal != 0 {
				t.Errorf("%s was judged while it warmed up: %s", c.Name, c.Sentence)
			}
		}
		r.flow(8*time.Second, timed("slow", 0.10, 0.005))
		before := r.wantPhase("slow", PhaseProgressing).Verdict.Checks[3].CanaryTotal
		r.store.set(errKilled, nil) // what was not stored by now is lost
		stop()
		r.store.set(nil, nil)
		r.reboot()
		r.configure(slow, equal)
		if got := r.wantPhase("slow", PhaseProgressing).Verdict.Checks[3].CanaryTotal; got == 0 || got > before {
			t.Errorf("after the restart %d latencies are known, before it %d", got, before)
		}
		stop = r.run()
		defer stop()
		r.flow(30*time.Second, timed("slow", 0.10, 0.005))
		if v := r.wantPhase("slow", PhaseRolledBack); v.Reason != "the check p99 failed" && v.Reason != "the check p90 failed" {
			t.Errorf("it was rolled back because %s", v.Reason)
		}
		r.flow(time.Minute, timed("equal", 0.02, 0.02))
		v := r.wantPhase("equal", PhaseProgressing)
		for _, c := range v.Verdict.Checks {
			if c.CanaryTotal < 1000 {
				t.Errorf("%s saw %d canary requests", c.Name, c.CanaryTotal)
			}
		}
	})
}

// A step that forces a whole segment onto the canary leaves nothing to compare: only the absolute checks judge it.
func TestAbsoluteChecksJudgeForcedSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		spec := quickSpec("shop", 0, onePercent)
		spec.Policy.Steps[0].Segment = "staff"
		spec.Policy.Steps[0].Duration = config.Duration(10 * time.Minute)
		spec.Policy.Checks.WarmUp = 0
		p99 := spec.Policy.Checks.Latency["p99"]
		p99.Max = config.Duration(30 * time.Millisecond)
		spec.Policy.Checks.Latency["p99"] = p99
		r.configure(spec)
		stop := r.run()
		defer stop()
		members := timed("shop", 0, 0)
		members.rate, members.segment = 100, true
		r.flow(20*time.Second, members)
		if v := r.wantPhase("shop", PhaseProgressing); v.Stage.Compared || v.Stage.Judged != 0 {
			t.Errorf("%d requests were compared with nothing", v.Stage.Judged)
		}
		members.canarySlow = 0.10
		r.flow(time.Minute, members)
		if v := r.wantPhase("shop", PhaseRolledBack); v.Reason != "the check p99 max failed" {
			t.Errorf("it was rolled back because %s", v.Reason)
		}
	})
}

// Which checks stand against going on, with and without something to compare.
func TestChecksThatStandInTheWay(t *testing.T) {
	s := newState(quickSpec("shop", 10*onePercent), time.Unix(1000, 0), birth{})
	check := func(name string, score float64) analysis.CheckVerdict {
		return analysis.CheckVerdict{Name: name, Score: score, Class: analysis.Marginal}
	}
	muted, alone := check("muted", 10), check("p99 max", 20)
	muted.Muted, alone.Alone = true, true
	s.Verdict.Checks = []analysis.CheckVerdict{check("even", 49.6), check("p50", 49.4), muted, alone}
	all := func(*analysis.CheckVerdict) bool { return true }
	want := []string{"the check p50 leans to harm (score 49 of 100)", "the check p99 max leans to harm (score 20 of 100)"}
	if diff := cmp.Diff(want, s.waitsForChecks(s.stage(), all)); diff != "" {
		t.Errorf("compared (-want +got):\n%s", diff)
	}
	s.Phase = PhaseProgressing
	s.Policy.Steps[0].Weight = config.Whole
	if waits := s.waits(s.Created); !slices.Contains(waits, want[1]) || slices.Contains(waits, want[0]) {
		t.Errorf("with nothing to compare: %q", waits)
	}
}
