package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
	"haldane/store"
)

// newEnding is what is kept of a rollout that has just ended; false when it never was one: a configuration that was refused.
// heldBack are services that wait for it, seen is what a witness has to add, recording what was judged.
func newEnding(s *State, heldBack []string, seen Testimony, recording *report.Recording) (store.Ending, bool, error) {
	r, is := postMortem(s)
	if !is {
		return store.Ending{}, false, nil
	}
	r.Relations.HeldBack = heldBack
	seen.complete(&r)
	if recording != nil && recording.Lasts() > 0 {
		r.Recording = recording
	}
	text, err := r.JSON()
	if err != nil {
		return store.Ending{}, false, err
	}
	summary, err := json.Marshal(r.Summary)
	if err != nil {
		return store.Ending{}, false, fmt.Errorf("sum up report %s: %w", r.ID, err)
	}
	return store.Ending{ID: r.ID, Service: r.Service, Ended: r.Ended, Summary: summary, Report: text}, true, nil
}

// postMortem is the report on the attempt that has just ended; false when it never was one.
func postMortem(s *State) (report.Report, bool) {
	id := drawID(s.ID, s.Attempt)
	events := slices.DeleteFunc(slices.Clone(s.History), func(e Event) bool { return e.Rollout != id })
	if len(events) == 0 {
		return report.Report{}, false
	}
	end := events[len(events)-1]
	if end.Trigger == TriggerState {
		return report.Report{}, false
	}
	split := s.split()
	r := report.Report{
		Summary: report.Summary{
			ID: id, Service: s.Spec.Service, Stable: s.Spec.Stable, Canary: s.Spec.Canary, Identity: s.Spec.CanaryIdentity,
			Policy: s.PolicyName, Attempt: s.Attempt, Result: result(&end), Rule: rule(&end), Started: s.Started, Ended: s.Ended,
		},
		Version: report.Version, Trigger: string(end.Trigger), PolicyHash: policyHash(&s.Policy), Created: s.Created,
		Verdict: s.Verdict.Sentence(), Score: s.Verdict.Score, Checks: reportChecks(s.Verdict.Checks),
		Budget: reportBudget(s),
		Variants: []report.Variant{
			{Name: split.Stable, Role: "stable", Requests: s.StableTotal.Requests, Failed: s.StableTotal.Failed},
			{Name: split.Canary, Role: "canary", Requests: s.CanaryTotal.Requests, Failed: s.CanaryTotal.Failed},
		},
		Steps: []report.Step{}, Waits: []report.Wait{}, Orders: []report.Order{}, Moments: []report.Moment{},
	}
	if len(r.Checks) > 0 {
		r.Class = s.Verdict.Class.String()
	}
	for i := range events {
		tell(&r, &events[i])
	}
	closeStep(&r, &end)
	closeWait(&r, &end)
	r.Relations = s.relations()
	r.Rule += neverBegan(s, events) + s.withoutParts()
	return r, true
}

// result is how it ended.
func result(end *Event) report.Result {
	switch {
	case end.Kind == EventPromoted:
		return report.Promoted
	case end.Kind == EventSuperseded:
		return report.Superseded
	case end.Trigger == TriggerOperator:
		return report.Aborted
	}
	return report.RolledBack
}

// rule is what ended it, in one sentence.
func rule(end *Event) string {
	switch {
	case end.Actor != "":
		return fmt.Sprintf("%s ordered it: %s", end.Actor, end.Reason)
	case end.Trigger == TriggerCheck && end.Numbers != "":
		return end.Reason + ": " + end.Numbers
	}
	return end.Reason
}

// policyHash is the same for policies that are the same.
func policyHash(p *config.Policy) string {
	text, err := json.Marshal(p)
	if err != nil { // a policy is plain data
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// reportChecks are the judge's last words on the checks.
func reportChecks(checks []analysis.CheckVerdict) []report.Check {
	list := make([]report.Check, 0, len(checks))
	for i := range checks {
		c := &checks[i]
		one := report.Check{
			Name: c.Name, Class: c.Class.String(), Score: c.Score, Critical: c.Critical, Muted: c.Muted, Alone: c.Alone,
			CanaryBad: c.CanaryBad, CanaryTotal: c.CanaryTotal, StableBad: c.StableBad, StableTotal: c.StableTotal,
			CanaryRate: c.CanaryRate, StableRate: c.StableRate, Allowed: c.Allowed,
			Evidence: c.Evidence, Needed: c.Needed, FailedAt: c.FailedAt, Sentence: c.Sentence,
		}
		if c.Metric {
			one.CanaryText, one.StableText, one.AllowedText = c.CanaryText(), c.StableText(), c.AllowedText()
		}
		list = append(list, one)
	}
	return list
}

// tell adds an event to the report: to its timeline and to what it begins or ends.
func tell(r *report.Report, e *Event) {
	r.Moments = append(r.Moments, report.Moment{
		Time: e.Time, Kind: string(e.Kind), Step: e.StepName, Weight: e.Weight, Reason: e.Reason, Numbers: e.Numbers, Actor: e.Actor,
	})
	if e.Actor != "" {
		r.Orders = append(r.Orders, report.Order{Time: e.Time, Actor: e.Actor, What: string(e.Kind), Why: e.Reason, Step: e.StepName, Weight: e.Weight})
	}
	switch e.Kind {
	case EventStarted, EventRetried, EventStep, EventRamp, EventSteppedBack, EventBaking:
		closeStep(r, e)
		r.Steps = append(r.Steps, report.Step{Name: e.StepName, Stage: e.Stage, Weight: e.Weight, Entered: e.Time})
	}
	switch {
	case e.Kind == EventWaiting:
		closeWait(r, e)
		r.Waits = append(r.Waits, report.Wait{Kind: "others", Reason: e.Reason, From: e.Time})
	case e.Kind == EventHold:
		closeWait(r, e)
		r.Waits = append(r.Waits, report.Wait{Kind: "hold", Reason: e.Reason, From: e.Time})
	case e.Phase == PhasePaused && (e.Kind == EventPaused || e.Kind == EventWeight):
		closeWait(r, e)
		r.Waits = append(r.Waits, report.Wait{Kind: "pause", Reason: e.Reason, From: e.Time})
	case e.Kind == EventOverride, e.Kind == EventOverrideCleared, e.Kind == EventPolicy, e.Kind == EventPartRolledBack: // end nothing
	case e.Kind == EventRestored && e.Phase == PhasePaused: // neither
	default:
		closeWait(r, e)
	}
}

// closeStep notes the end of a step, closeWait that of a wait.
func closeStep(r *report.Report, e *Event) {
	if n := len(r.Steps); n > 0 && r.Steps[n-1].Left.IsZero() {
		r.Steps[n-1].Left = e.Time
	}
}

func closeWait(r *report.Report, e *Event) {
	if n := len(r.Waits); n > 0 && r.Waits[n-1].To.IsZero() {
		r.Waits[n-1].To = e.Time
	}
}
