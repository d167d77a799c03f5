package analysis

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSentencesOfTheErrorCheck(t *testing.T) {
	errors := Defaults().Checks[0]
	for _, c := range []struct {
		learning bool
		v        CheckVerdict
		want     string
	}{
		{true, CheckVerdict{Class: NoData}, "no canary requests were judged yet"},
		{false, CheckVerdict{Class: NoData}, "nothing to compare yet"},
		{true, CheckVerdict{Class: NoData, CanaryTotal: 12, MinRequests: 50}, "12 of 50 canary requests needed"},
		{
			true,
			CheckVerdict{Class: NoData, CanaryTotal: 12, CanaryBad: 2, MinRequests: 50},
			"12 of 50 canary requests needed, 2 of them failed",
		},
		{
			true,
			CheckVerdict{
				Class: Fail, CanaryRate: 0.0231, CanaryTotal: 4120, StableRate: 0.004, StableTotal: 37080,
				Evidence: 3417, Needed: 200,
			},
			"canary 2.31 % of 4,120 failed, stable 0.40 % of 37,080; allowed +10 % plus 0.1 points; " +
				"evidence 1 in 3,400 against chance, needed 1 in 200",
		},
		{
			true,
			CheckVerdict{
				Class: Marginal, CanaryRate: 0.012, CanaryTotal: 1000, StableRate: 0.01, StableTotal: 9000,
				Evidence: 1.44, Needed: 200, ToleranceEvidence: 4.21, ToleranceNeeded: 20,
			},
			"canary 1.20 % of 1,000 failed, stable 1.00 % of 9,000; allowed +10 % plus 0.1 points; evidence 1 in 1.4 against " +
				"chance, needed 1 in 200; not shown within tolerance yet (1 in 4.2, needed 1 in 20)",
		},
		{
			true,
			CheckVerdict{Class: Pass, CanaryTotal: 1_000_000, StableTotal: 1234567, Evidence: 1, Needed: 200},
			"canary 0 % of 1,000,000 failed, stable 0 % of 1,234,567; allowed +10 % plus 0.1 points; no evidence against it; " +
				"shown within tolerance",
		},
		{ // at the extremes
			true,
			CheckVerdict{Class: Fail, CanaryRate: 1, CanaryTotal: 4, Evidence: maxOdds, Needed: 200},
			"canary 100 % of 4 failed, stable had no requests; allowed +10 % plus 0.1 points; " +
				"evidence 1 in more than 1,000,000,000 against chance, needed 1 in 200",
		},
		{
			true,
			CheckVerdict{Class: Marginal, CanaryTotal: 60, StableTotal: 540, Evidence: 1.02, Needed: 200, ToleranceEvidence: 1, ToleranceNeeded: 20},
			"canary 0 % of 60 failed, stable 0 % of 540; allowed +10 % plus 0.1 points; no evidence against it; " +
				"not shown within tolerance yet (no evidence, needed 1 in 20)",
		},
		{
			false,
			CheckVerdict{Class: NoData, CanaryTotal: 100, StableTotal: 100, Evidence: 1, Needed: 200},
			"canary 0 % of 100 failed, stable 0 % of 100; allowed +10 % plus 0.1 points; no evidence against it; " +
				"nothing to compare at the present weight",
		},
	} {
		if diff := cmp.Diff(c.want, errors.sentence(&c.v, c.learning)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAllowances(t *testing.T) {
	for want, c := range map[string]Check{
		"+0 %":               {},
		"+12.5 %":            {Relative: 0.125},
		"+100 %":             {Relative: 1},
		"+0 % plus 1 points": {Absolute: 0.01},
		"+5 % plus 1 ms":     {Quantile: 0.5, Relative: 0.05, Slack: time.Millisecond},
		"+5 %":               {Quantile: 0.5, Relative: 0.05},
	} {
		if got := c.allowance(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0 %", 1: "100 %", 0.5: "50.0 %", 0.0231: "2.31 %", 0.004: "0.40 %", 0.00042: "0.042 %", 0.0000421: "0.0042 %",
		0.9999: "99.99 %", 0.999999: "99.9999 %", 0.001: "0.10 %",
	} {
		if got := percent(share); got != want {
			t.Errorf("%v: got %q, want %q", share, got, want)
		}
	}
	for odds, want := range map[float64]string{
		1: "1", 1.04: "1", 3.26: "3.3", 9.99: "10", 12.3: "12", 200: "200", 199.99999999999997: "200", 3417: "3,400",
		1e6: "1,000,000", 1e15: "more than 1,000,000,000",
	} {
		if got := rounded(odds); got != want {
			t.Errorf("%v: got %q, want %q", odds, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 ms", 1500 * time.Microsecond: "1.5 ms", 6 * time.Second: "6 s", 61 * time.Second: "61 s",
		10 * time.Minute: "10 min", 38*time.Hour + 20*time.Minute: "38 h",
	} {
		if got := span(int64(d)); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{
		0: "0", 999: "999", 1000: "1,000", 37080: "37,080", 1234567: "1,234,567", math.MaxUint64: "18,446,744,073,709,551,615",
	} {
		if got := count(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestVerdictIsJSONAtItsExtremes(t *testing.T) {
	s := newSim(t, 1, Defaults())
	now := s.now
	for range 100 {
		now = now.Add(time.Second)
		s.j.Observe(now, []Block{{Stratum: 1, Weight: 0.5, Canary: Counts{Bad: 1e6}, Stable: Counts{Good: 1e6}}})
	}
	v := s.j.Verdict()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"class":"fail"`, `"score":0`, `"canary_total":100000000`, `"within_tolerance":false`, `"failed_at":"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	var back Verdict
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Errorf("there and back: %s", diff)
	}
	if text, err = json.Marshal(NewJudge(Defaults()).Verdict()); err != nil || !strings.Contains(string(text), `"class":"no_data"`) {
		t.Errorf("a fresh judge: %s %v", text, err)
	}
}

func TestVerdictOfTheWhole(t *testing.T) {
	settings := Settings{Checks: append(Defaults().Checks, LatencyChecks()...)}
	settings.Checks[3].Critical = false
	j := NewJudge(settings)
	for _, c := range []struct {
		name   string
		checks [4]Class
		want   Class
		text   string
	}{
		{"nothing", [4]Class{NoData, NoData, NoData, NoData}, NoData, "errors: "},
		{"no errors yet", [4]Class{NoData, Pass, Pass, Pass}, NoData, "errors: "},
		{"no latency: all requests fail", [4]Class{Marginal, NoData, NoData, NoData}, Marginal, "errors: "},
		{"latency has no data", [4]Class{Pass, NoData, Pass, Pass}, Marginal, "p50: "},
		{"all pass", [4]Class{Pass, Pass, Pass, Pass}, Pass, "errors: "},
		{"one fails", [4]Class{Pass, Pass, Fail, Pass}, Fail, "p90: "},
		{"fail beats no data", [4]Class{Fail, NoData, NoData, NoData}, Fail, "errors: "},
		{"one that is only shown fails", [4]Class{Pass, Pass, Pass, Fail}, Marginal, "p99: "},
	} {
		v := Verdict{}
		for i, class := range c.checks {
			v.Checks = append(v.Checks, CheckVerdict{
				Name: settings.Checks[i].Name, Class: class, Critical: settings.Checks[i].Critical, Score: 50, Sentence: "x",
			})
		}
		v.Class = j.class(v.Checks, true)
		if v.Class != c.want {
			t.Errorf("%s: got %v, want %v", c.name, v.Class, c.want)
		}
		if text := j.sentence(&v); text != c.text+"x" {
			t.Errorf("%s: %q", c.name, text)
		}
		if want := c.want == Fail; (score(v.Checks, j.scores(v.Checks)) == 0) != want {
			t.Errorf("%s: score %v", c.name, score(v.Checks, j.scores(v.Checks)))
		}
	}
}

func TestScoreIsHalfErrorsHalfLatency(t *testing.T) {
	j := NewJudge(Settings{Checks: append(Defaults().Checks, LatencyChecks()...)})
	checks := []CheckVerdict{{Score: 100}, {Score: 50}, {Score: 20}, {Score: 50}}
	near(t, "score", score(checks, j.scores(checks)), 70)
}
