package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// elaborate is a policy with everything that is explained.
func elaborate() config.Policy {
	p := config.Careful()
	p.Steps = p.Steps[:2]
	p.Steps[0] = config.Step{
		Name: "internal", Segment: "staff", Strength: config.Whole / 2, Duration: config.Duration(time.Hour), MaxDuration: config.Duration(time.Minute), Approval: true,
	}
	p.Steps[1].AdvanceWhen = config.AdvanceProven
	p.OnFailure, p.Budget.FailedRequests = config.FailurePause, 20
	p.Checks.Errors.Max, p.Checks.Errors.Critical = config.Whole/20, false
	p.Checks.Latency = config.LatencyChecks{"p99": {Quantile: config.Whole / 100 * 99, Relative: config.Whole / 10, Max: config.Duration(time.Second), Muted: true}}
	p.Checks.Events = map[string]config.EventCheck{"throttled": {Statuses: []config.StatusRange{{Low: 429, High: 429}}, Absolute: config.Whole / 100, Critical: true}}
	return p
}

func TestExplain(t *testing.T) {
	p := elaborate()
	want := `step 1: internal, 50% of segment staff on the canary for at least 1h, until nothing leans to harm, and a person approves; undecided after 1m, it waits for a person
step 2: 5% on the canary for at least 5m and 50 compared requests, until every check is shown to be within tolerance; undecided after 30m, it waits for a person
then it bakes for 10m: the canary has 90%, and 10% of the traffic stays on stable to compare with and to go back to at once
check errors: the canary's share of failed requests may be 10% more than stable's, and 0.1 in 100 on top; and never more than 5% (not critical: a fail ends nothing, but nothing goes on by itself)
check p99: the time that 99% of the canary's requests keep may be 10% longer than stable's, and 0s on top; and never longer than 1s (muted: shown, and counts for nothing)
check throttled: the canary's share of requests answered 429 may be 0% more than stable's, and 1 in 100 on top
a check that fails waits for a person, with the weight as it is; that happens to a good canary in at most 1% of all rollouts
the budget: at the failed canary request number 20 it rolls back at once, whatever the checks say`
	if diff := cmp.Diff(want, strings.Join(Explain(&p), "\n")); diff != "" {
		t.Error(diff)
	}
	minutes := func(n int) config.Duration { return config.Duration(time.Duration(n) * time.Minute) }
	five := config.Whole / 20
	timeline := []Span{
		{Name: "internal", Least: minutes(60), Most: minutes(60), Asks: true},
		{Name: "5%", Weight: five, Earliest: minutes(60), Latest: minutes(60), Least: minutes(5), Most: minutes(30)},
		{Name: "bake", Weight: config.Whole / 10 * 9, Earliest: minutes(65), Latest: minutes(90), Least: minutes(10), Most: minutes(30)},
		{Name: "promoted", Weight: config.Whole, Earliest: minutes(75), Latest: minutes(120)},
	}
	if diff := cmp.Diff(timeline, Timeline(&p)); diff != "" {
		t.Error(diff)
	}
	if got := Timeline(&config.Policy{}); len(got) != 1 {
		t.Errorf("without steps: %+v", got)
	}
}

// A budget ends some rises sooner, and all of them where errors are not checked.
func TestRises(t *testing.T) {
	p := config.Careful()
	f := NewForecast(&p, 12, 0.01)
	if len(f.Rises) != 16 || !strings.HasPrefix(f.RiseSentences()[1], "at 12 requests/s and 5%, a rise from 1.0% to 2.0% errors is") {
		t.Fatalf("%d: %q", len(f.Rises), f.RiseSentences())
	}
	for i, r := range f.Rises {
		if r.Takes > 0 && r.Failed == 0 || r.Budget || i%4 > 0 && r.Takes > 0 && f.Rises[i-1].Takes > 0 && r.Takes > f.Rises[i-1].Takes {
			t.Errorf("%+v", r)
		}
	}
	p.Budget.FailedRequests, p.Checks.Errors.Muted = 5, true
	for _, r := range NewForecast(&p, 12, 0.00001).Rises {
		if !r.Budget && r.Takes > 0 || r.Budget && r.Failed != 5 {
			t.Errorf("%+v", r)
		}
	}
}

// What a policy says of failures, gates and the numbers of the business is told as it is.
func TestExplainMore(t *testing.T) {
	p := config.Careful()
	p.OnFailure, p.Retries, p.CoolDown = config.FailureStepBack, 2, config.Duration(time.Minute)
	p.Budget = config.Budget{ExcessFailures: 5, SlowRequests: 6, SlowAfter: config.Duration(time.Second), ExposedUsers: 7}
	p.Steps[0].Checklist = []string{"looked at"}
	p.Checks.Errors.On.NoData = config.OnHold
	p.Checks.Metrics = map[string]config.MetricCheck{"orders": {
		Source: config.SourceField, Field: "X-Order", Kind: config.KindRatio, Direction: config.DirectionDown, Relative: config.Whole / 50, Critical: true,
	}}
	p.Hooks.Rollback = []config.Hook{{Name: "pager"}}
	p.Windows = []config.Window{{}}
	p.Freezes = []config.Freeze{{Reason: "holidays"}}
	text := strings.Join(Explain(&p), "\n")
	for _, want := range []string{
		"and its checklist is done (looked at)", "check orders: a ratio from the response field X-Order; harm is down, by more than 2% of stable's",
		"when errors has no data: hold", "takes the canary one step back at once", "at 5 canary failures beyond", "request number 6 that takes longer than 1s",
		"at 7 users on the canary it waits for a person", "begins again by itself, 2 times, each after 1m", "within its windows alone", "holidays",
		"at rollback the hook pager is asked",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not told:\n%s", want, text)
		}
	}
	if strings.Contains(text, "rolls back at once; that") || strings.Contains(text, "no budget") {
		t.Errorf("it says what is not so:\n%s", text)
	}
	if !Timeline(&p)[0].Asks {
		t.Error("nobody is asked for the checklist")
	}
}
