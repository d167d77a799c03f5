package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// A service may be judged in parts. Each part has a check of failed requests of its own, which is called after it. With on_failure
// "part", a part whose check has failed goes back to stable alone. The checks of the whole service then start afresh: they were about
// requests of which some do not come any more. Those of the other parts go on.

// partial is what a rollout knows of its parts.
type partial struct {
	// Gone are the parts that went back to stable in this attempt, in their order in time.
	Gone []gonePart `json:"gone,omitempty"`
}

// gonePart is a part that went back to stable.
type gonePart struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Numbers string    `json:"numbers,omitempty"` // what its check said then
}

// has says whether a part went back.
func (p *partial) has(name string) bool {
	return slices.ContainsFunc(p.Gone, func(g gonePart) bool { return g.Name == name })
}

// inPart stands between "errors" and the name of a part in the name of its check.
const inPart = " in "

// partCheck is the name of the check of a part, partOf the part that a check is about; empty for the whole service.
func partCheck(part string) string { return checkErrors + inPart + part }

func partOf(check string) string {
	_, part, _ := strings.Cut(check, inPart)
	return part
}

// partChecks are the checks of the parts. To the judge they are events, numbered after those of the policy and its metrics.
func partChecks(p *config.Policy) []analysis.Check {
	var list []analysis.Check
	rule, parts := errorRule(&p.Checks.Errors), p.Partial.Parts()
	for i, part := range parts {
		list = append(list, rule.judged(analysis.Check{
			Name: partCheck(part.Name), Event: firstPart(&p.Checks) + i, Words: "failed",
			Meaning: fmt.Sprintf("%s in %s of %v", failureMeaning(&p.Checks.Errors), part.Name, parts),
		}))
	}
	return list
}

// firstPart is the number of the first part as an event.
func firstPart(c *config.Checks) int { return len(eventNames(c)) + len(reported(c)) + 1 }

// shareOut gives each of the checks that share a half of alpha its part of it, so that it is the same when a part has gone.
func shareOut(checks []analysis.Check) {
	sharing := func(c *analysis.Check) bool {
		return c.Critical && !c.Muted && c.Quantile == 0 && c.Metric.Kind != analysis.MetricReading
	}
	n := 0.0
	for i := range checks {
		if sharing(&checks[i]) {
			n++
		}
	}
	for i := range checks {
		if sharing(&checks[i]) {
			checks[i].Share = 0.5 / n
		}
	}
}

// settings is what the policy in force asks of the judge, now: the checks of parts that have gone are only shown.
func (s *State) settings() analysis.Settings {
	want := settings(&s.Policy)
	for i := range want.Checks {
		if part := partOf(want.Checks[i].Name); part != "" && s.Partial.has(part) {
			want.Checks[i].Muted = true
		}
	}
	return want
}

// back are the parts whose requests do not get the canary: the lowest bit is the first.
func (s *State) back() uint8 {
	if len(s.Partial.Gone) == 0 {
		return 0
	}
	var set uint8
	for i, part := range s.Policy.Partial.Parts() {
		if s.Partial.has(part.Name) {
			set |= 1 << i
		}
	}
	return set
}

// adoptPartial brings the parts of another policy into force. They stay what they are while one of them has gone, and the same
// parts are no change.
func (s *State) adoptPartial(next config.Policy) config.Policy {
	if old := s.Policy.Partial; len(s.Partial.Gone) > 0 || samePartial(old, next.Partial) {
		next.Partial = old
	}
	return next
}

// current says whether the policy in force is that of the configuration.
func (s *State) current() bool {
	next := s.adoptPartial(s.Spec.Policy)
	return samePolicy(&s.Policy, &next)
}

func samePartial(a, b *config.Partial) bool {
	return a == b || a != nil && b != nil && a.OnFailure == b.OnFailure && a.SameParts(b)
}

// takeBack takes the canary from the parts that have failed, if that is all that is wrong and the policy says so. It says whether
// it did.
func (c *change) takeBack(v *analysis.Verdict) bool {
	p := c.s.Policy.Partial
	if p == nil || p.OnFailure != config.PartAlone || c.s.Spec.Release != "" || c.s.Override == c.s.Spec.Canary {
		return false
	}
	bad := c.s.failedParts(v)
	most := max(1, len(p.Parts())/2)
	if len(bad) == 0 || len(c.s.Partial.Gone)+len(bad) > most {
		return false
	}
	c.must("take back a part", PhaseProgressing, PhasePaused, PhaseBaking)
	var names, numbers []string
	c.s.Partial.Gone = slices.Clip(c.s.Partial.Gone)
	for _, check := range bad {
		name := partOf(check.Name)
		c.s.Partial.Gone = append(c.s.Partial.Gone, gonePart{Name: name, At: c.now, Numbers: check.Sentence})
		names, numbers = append(names, name), append(numbers, check.Sentence)
	}
	c.renew()
	c.s.Reason = fmt.Sprintf("too many requests failed in %s: only there, stable takes them all again", strings.Join(names, " and "))
	c.event(EventPartRolledBack, cause{reason: c.s.Reason, numbers: strings.Join(numbers, " "), trigger: TriggerCheck})
	return true
}

// renew lets the checks of the whole service begin afresh, and with them the stage.
func (c *change) renew() {
	c.s.Verdict, c.s.Informed = analysis.Verdict{}, false
	c.s.Staging.Series = series{}
	c.also(ActionRenew)
	c.restartClock()
}

// failedParts are the failed checks of parts, when nothing else has failed that counts. That the errors of the whole service have
// failed with them, and not before, is what they explain.
func (s *State) failedParts(v *analysis.Verdict) []*analysis.CheckVerdict {
	stage := s.stage()
	if failed(&stage, v) == nil {
		stage = config.Step{} // it fails because of a stage that comes
	}
	var parts []*analysis.CheckVerdict
	var whole, first time.Time
	for i := range v.Checks {
		switch check := &v.Checks[i]; {
		case check.Class != analysis.Fail || !check.Critical || !counts(&stage, check.Name):
		case partOf(check.Name) != "":
			parts = append(parts, check)
			first = earlier(first, check.FailedAt)
		case written(check.Name) == checkErrors:
			whole = earlier(whole, check.FailedAt)
		default:
			return nil
		}
	}
	if !whole.IsZero() && whole.Before(first) {
		return nil
	}
	return parts
}

// earlier is the first of two moments; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// incomplete says that the next thing would be the promotion of a canary that some parts do not have; empty otherwise.
func (s *State) incomplete() string {
	if len(s.Partial.Gone) == 0 {
		return ""
	}
	if _, more := s.nextStep(); !s.Bake && (more || s.climbing() || s.Spec.Policy.Bake.Duration > 0) {
		return ""
	}
	return fmt.Sprintf("the release is incomplete: %s went back to %s; to promote gives %s all requests, these too",
		s.goneNames(), s.Spec.Stable, s.Spec.Canary)
}

// withoutParts says at the end which parts had gone back before; empty for none.
func (s *State) withoutParts() string {
	if len(s.Partial.Gone) == 0 {
		return ""
	}
	return fmt.Sprintf("; before that, too many requests had failed in %s, which went back to %s alone", s.goneNames(), s.Spec.Stable)
}

// goneNames are the parts that went back, for people.
func (s *State) goneNames() string {
	list := make([]string, 0, len(s.Partial.Gone))
	for i := range s.Partial.Gone {
		list = append(list, s.Partial.Gone[i].Name)
	}
	return strings.Join(list, " and ")
}
