package rollout

import (
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
)

// What has failed explains itself by parts, or does not.
func TestFailedPartsExplainTheWhole(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	check := func(name string, after time.Duration) analysis.CheckVerdict {
		return analysis.CheckVerdict{Name: name, Class: analysis.Fail, Critical: true, FailedAt: at.Add(after)}
	}
	muted := check(partCheck("gone"), 0)
	muted.Critical, muted.Muted = false, true
	for name, c := range map[string]struct {
		checks []analysis.CheckVerdict
		counts []string // on the step
		want   int
	}{
		"a part":                   {[]analysis.CheckVerdict{check("errors in a", 0)}, nil, 1},
		"two":                      {[]analysis.CheckVerdict{check("errors in a", 0), check("errors in b", 0)}, nil, 2},
		"one that has gone":        {[]analysis.CheckVerdict{muted}, nil, 0},
		"the whole at that look":   {[]analysis.CheckVerdict{check("errors", 0), check("errors max", 0), check("errors in a", 0)}, nil, 1},
		"the whole later":          {[]analysis.CheckVerdict{check("errors", time.Second), check("errors in a", 0)}, nil, 1},
		"the whole before":         {[]analysis.CheckVerdict{check("errors", 0), check("errors in a", tickEvery)}, nil, 0},
		"the whole alone":          {[]analysis.CheckVerdict{check("errors", 0)}, nil, 0},
		"latency, too":             {[]analysis.CheckVerdict{check("errors in a", 0), check("p99", 0)}, nil, 0},
		"latency, not on the step": {[]analysis.CheckVerdict{check("errors in a", 0), check("p99", 0)}, []string{"errors"}, 1},
		"errors, not on the step":  {[]analysis.CheckVerdict{check("errors in a", 0), check("p99", 0)}, []string{"p99"}, 0},
		"on a later step":          {[]analysis.CheckVerdict{check("errors in a", 0)}, []string{"p99"}, 1},
	} {
		s := State{Phase: PhaseProgressing, Policy: config.Policy{Steps: []config.Step{{Weight: onePercent, Checks: c.counts}}}}
		if got := s.failedParts(&analysis.Verdict{Class: analysis.Fail, Checks: c.checks}); len(got) != c.want {
			t.Errorf("%s: %d parts, want %d", name, len(got), c.want)
		}
	}
}

// The checks of parts take nothing from the promise: all that may fail share what errors had, and a part that has gone leaves the
// others what they had.
func TestPartsShareAlpha(t *testing.T) {
	p := eightParts()
	sum := func(list []analysis.Check) (sum float64) {
		for _, c := range list {
			sum += c.Share
		}
		return sum
	}
	if got := sum(settings(&p).Checks); got < 0.499 || got > 0.501 {
		t.Errorf("the shares are %v of alpha together", got)
	}
	s := State{Policy: p}
	whole := s.settings()
	s.Partial.Gone = []gonePart{{Name: "p3"}}
	without := s.settings()
	for i := range whole.Checks {
		a, b := &whole.Checks[i], &without.Checks[i]
		if a.Share != b.Share || b.Muted != (a.Name == "errors in p3") {
			t.Errorf("%s had %v and has %v, muted %v", a.Name, a.Share, b.Share, b.Muted)
		}
	}
	if s.back() != 1<<3 {
		t.Errorf("back is %b", s.back())
	}
}

// A part that comes back exposes more, and so is stored first; one that goes exposes less, and waits for nothing.
func TestPartsAndWhatRaises(t *testing.T) {
	all := Split{Stable: "v1", Canary: "v2", Weight: config.Whole / 2}
	less, none := all, all
	less.Back, none.Weight = 1, 0
	if less.raises(all) || !all.raises(less) || none.raises(less) {
		t.Errorf("goes: %v, comes: %v, ends: %v", less.raises(all), all.raises(less), none.raises(less))
	}
}

// What is released together goes back together, and an override to the canary is no reason to keep a bad one.
func TestPartsOfAReleaseGoBackWithIt(t *testing.T) {
	for name, change := range map[string]func(*State){
		"alone":    func(*State) {},
		"release":  func(s *State) { s.Spec.Release = "core" },
		"override": func(s *State) { s.Override = "v2" },
		"all": func(s *State) {
			s.Policy.Partial = &config.Partial{Segments: []string{"eu", "us"}, OnFailure: config.PartAll}
		},
	} {
		spec := quickSpec("shop", 10*onePercent)
		spec.Policy.Partial = &config.Partial{Segments: []string{"eu", "us"}, OnFailure: config.PartAlone}
		s, _ := created(spec, time.Unix(0, 0), birth{}, "")
		s, _ = Step(s, time.Unix(1, 0), Observation{})
		change(&s)
		s, _ = Step(s, time.Unix(2, 0), Observation{Verdict: badPart()})
		if alone := s.Phase == PhaseProgressing && len(s.Partial.Gone) == 1; alone != (name == "alone") || !alone && s.Phase != PhaseRolledBack {
			t.Errorf("%s: %s with %v gone", name, s.Phase, s.Partial.Gone)
		}
	}
}

// A part that goes back is in the timeline of the report and in its rule, and ends no pause.
func TestReportOfAPart(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	r := report.Report{Waits: []report.Wait{{Kind: "pause", From: at}}}
	tell(&r, &Event{Kind: EventPartRolledBack, Phase: PhasePaused, Time: at, Reason: "too many", Numbers: "80 %"})
	if len(r.Moments) != 1 || r.Moments[0].Kind != "part_rolled_back" || r.Moments[0].Numbers != "80 %" || !r.Waits[0].To.IsZero() {
		t.Errorf("%+v", r)
	}
	s, _ := created(quickSpec("shop", 10*onePercent), at, birth{}, "")
	s, _ = Step(s, at, Observation{})
	s.Partial.Gone = []gonePart{{Name: "cart", At: at}}
	s, _, err := Apply(s, at, Command{Kind: CommandPromoteFull, Actor: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	r, _ = postMortem(&s)
	if want := "ann ordered it: promote --full by command; before that, too many requests had failed in cart, which went back to v1 alone"; r.Rule != want {
		t.Errorf("the rule is %q, want %q", r.Rule, want)
	}
}
