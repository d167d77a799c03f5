package rollout

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"haldane/config"
)

// Explain says in plain words what a policy does: a sentence for each step, for each check, for what happens on failure, and
// for what sets its steps apart.
func Explain(p *config.Policy) []string {
	var list []string
	for i := range p.Steps {
		if p.Ramp != nil { // it stands in the place of a step, and is told apart
			break
		}
		list = append(list, fmt.Sprintf("step %d: %s", i+1, explainStep(&p.Steps[i])))
	}
	if p.Bake.Duration > 0 && len(p.Steps) > 0 {
		stage := bakeStage(p)
		list = append(list, fmt.Sprintf("then it bakes for %s: the canary has %s, and %s of the traffic stays on stable to compare with and to go back to at once",
			p.Bake.Duration, stage.Weight, config.Whole-stage.Weight))
	}
	list = append(list, explainErrors(&p.Checks.Errors))
	for _, name := range levels(p.Checks.Latency) {
		c := p.Checks.Latency[name]
		list = append(list, explainLatency(name, &c))
	}
	for _, name := range eventNames(&p.Checks) {
		c := p.Checks.Events[name]
		list = append(list, explainRate("check "+name, "requests "+eventWords(&c), eventRule(&c)))
	}
	for _, name := range metricNames(&p.Checks) {
		c := p.Checks.Metrics[name]
		list = append(list, explainMetric(name, &c))
	}
	list = append(list, explainOutcomes(p)...)
	return slices.Concat(list, explainFailure(p), explainGates(p), explainStaging(p))
}

// explainStep is who is exposed, for how long, and what it takes to go on.
func explainStep(s *config.Step) string {
	var b strings.Builder
	if s.Name != "" && s.Name != exposure(s) {
		b.WriteString(s.Name + ", ")
	}
	fmt.Fprintf(&b, "%s on the canary for at least %s", exposure(s), s.Duration)
	if s.MinRequests > 0 {
		fmt.Fprintf(&b, " and %d compared requests", s.MinRequests)
	}
	if s.AdvanceWhen == config.AdvanceProven {
		b.WriteString(", until every check is shown to be within tolerance")
	} else {
		b.WriteString(", until nothing leans to harm")
	}
	if s.Approval {
		b.WriteString(", and a person approves")
	}
	if len(s.Checklist) > 0 {
		fmt.Fprintf(&b, ", and its checklist is done (%s)", join(s.Checklist))
	}
	fmt.Fprintf(&b, "; undecided after %s, it waits for a person", s.MaxDuration)
	return b.String()
}

func explainErrors(c *config.ErrorCheck) string {
	return explainRate("check "+checkErrors, "failed requests", errorRule(c))
}

// explainRate is what a check of a share of the requests allows.
func explainRate(name, what string, r rateRule) string {
	text := fmt.Sprintf("%s: the canary's share of %s may be %s more than stable's, and %s in 100 on top", name, what, r.relative, points(r.absolute))
	if r.max > 0 {
		text += fmt.Sprintf("; and never more than %s", r.max)
	}
	return text + weight(r.critical, r.muted)
}

// points is a share as so many of a hundred.
func points(p config.Percent) string { return strings.TrimSuffix(p.String(), "%") }

func explainLatency(name string, c *config.LatencyCheck) string {
	text := fmt.Sprintf("check %s: the time that %s of the canary's requests keep may be %s longer than stable's, and %s on top",
		name, c.Quantile, c.Relative, c.Absolute)
	if c.Max > 0 {
		text += fmt.Sprintf("; and never longer than %s", c.Max)
	}
	return text + weight(c.Critical, c.Muted)
}

// weight is what a check counts for.
func weight(critical, muted bool) string {
	switch {
	case muted:
		return " (muted: shown, and counts for nothing)"
	case !critical:
		return " (not critical: a fail ends nothing, but nothing goes on by itself)"
	}
	return ""
}

// Span is a stage on the timeline of a policy, if nothing stops the clock.
type Span struct {
	// Name is the step's, or "bake"; "promoted" for the end.
	Name string `json:"name"`
	// Weight is the canary's share.
	Weight config.Percent `json:"weight"`
	// Earliest and Latest are when it may begin, from the start. Latest holds if people answer at once.
	Earliest config.Duration `json:"earliest"`
	Latest   config.Duration `json:"latest"`
	// Least and Most are how long it lasts; zero for the end.
	Least config.Duration `json:"least"`
	Most  config.Duration `json:"most"`
	// Asks says that a person is needed to leave it: to approve, or for its checklist.
	Asks bool `json:"asks,omitempty"`
}

// Timeline is the stages of a policy over time.
func Timeline(p *config.Policy) []Span {
	stages := slices.Clone(p.Steps)
	if p.Bake.Duration > 0 && len(stages) > 0 {
		stages = append(stages, bakeStage(p))
	}
	var earliest, latest config.Duration
	list := make([]Span, 0, len(stages)+1)
	for i := range stages {
		s := &stages[i]
		least := s.Duration
		if p.Ramp != nil && i < len(p.Steps) { // from weight to weight, each at most twice the one before
			least *= config.Duration(1 + math.Ceil(math.Log2(p.Ramp.To.Ratio()/p.Ramp.From.Ratio())))
		}
		name := s.Name
		if name == "" {
			name = exposure(s)
		}
		list = append(list, Span{
			Name: name, Weight: s.Weight, Earliest: earliest, Latest: latest, Least: least, Most: max(least, s.MaxDuration), Asks: s.Approval || len(s.Checklist) > 0,
		})
		earliest, latest = earliest+least, latest+max(least, s.MaxDuration)
	}
	return append(list, Span{Name: "promoted", Weight: config.Whole, Earliest: earliest, Latest: latest})
}
