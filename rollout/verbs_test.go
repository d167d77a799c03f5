package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"haldane/analysis"
	"haldane/config"
)

// specVerb configures a rollout: a new one, the same one, or another one in its place.
func (w *world) specVerb(args []string) error {
	spec, err := parseSpec(args)
	if err != nil {
		return err
	}
	if w.state.ID == spec.ID() {
		w.make(configured(w.state, w.now, spec))
		return nil
	}
	if w.state.ID != "" {
		w.make(superseded(w.state, w.now, cause{reason: "the configuration names another rollout"}))
	}
	b := birth{revision: w.state.Revision, series: w.state.bequest(&spec)}
	w.judge = analysis.NewJudge(settings(&spec.Policy))
	w.spent = 0
	w.make(created(spec, w.now, b, ""))
	w.make(Step(w.state, w.now, Observation{}))
	return nil
}

func (w *world) dropVerb([]string) error {
	w.make(superseded(w.state, w.now, cause{reason: "the configuration names no canary any more"}))
	w.state.Staging = staging{} // of a rollout that left no rollout behind nothing but its end is remembered
	return nil
}

func parseSpec(args []string) (Spec, error) {
	spec := Spec{Service: "shop", Stable: "v1", Canary: "v2", CanaryIdentity: "r1", PolicyName: "test", Policy: config.DefaultPolicy()}
	step := config.DefaultStep()
	steps, approval := "10%", ""
	var later []string
	var err error
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		var e error
		switch key {
		case "steps":
			steps = value
		case "duration":
			step.Duration, e = config.ParseDuration(value)
		case "max":
			step.MaxDuration, e = config.ParseDuration(value)
		case "min":
			step.MinRequests, e = strconv.Atoi(value)
		case "advance":
			step.AdvanceWhen = value
		case "approval":
			approval = value
		case "bake":
			spec.Policy.Bake.Duration, e = config.ParseDuration(value)
		case "holdback":
			spec.Policy.Bake.Holdback, e = config.ParsePercent(value)
		case "budget":
			spec.Policy.Budget.FailedRequests, e = strconv.Atoi(value)
		case "event":
			e = addEvent(&spec.Policy.Checks, value)
		case "errors":
			spec.Policy.Checks.Errors.Statuses, e = parseStatuses(value)
		case "on_failure":
			spec.Policy.OnFailure = value
		case "start":
			spec.Start = value
		case "canary":
			spec.Canary = value
		case "revision":
			spec.CanaryIdentity = value
		default: // of the stages
			later = append(later, arg)
		}
		if e != nil {
			err = e
		}
	}
	for i, text := range strings.Split(steps, ",") {
		one, e := parseStep(step, text)
		if e != nil {
			err = e
		}
		one.Approval = approval == strconv.Itoa(i+1)
		spec.Policy.Steps = append(spec.Policy.Steps, one)
	}
	if e := finishSpec(&spec, later); e != nil {
		err = e
	}
	return spec, err
}

// parseStep reads "5%", "staff", "staff/10%" (a strength) and "5%+staff/10%".
func parseStep(step config.Step, text string) (config.Step, error) {
	var err error
	for _, part := range strings.Split(text, "+") {
		if strings.HasSuffix(part, "%") && !strings.Contains(part, "/") {
			step.Weight, err = config.ParsePercent(part)
			continue
		}
		name, strength, found := strings.Cut(part, "/")
		step.Segment = name
		if found {
			step.Strength, err = config.ParsePercent(strength)
		}
	}
	return step, err
}

func (w *world) commandVerb(args []string) error {
	c := Command{Kind: CommandKind(args[0]), Actor: "ann"}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "weight":
			weight, err := config.ParsePercent(value)
			if err != nil {
				return err
			}
			c.Weight = weight
		case "variant":
			c.Variant = value
		case "reason":
			c.Reason = strings.ReplaceAll(value, "_", " ")
		}
	}
	next, actions, err := Apply(w.state, w.now, c)
	if err != nil {
		return err
	}
	if actions[0].Kind == ActionStoreFirst && w.full {
		return fmt.Errorf("%s: no space left", c.Kind)
	}
	w.make(next, actions)
	return nil
}

// viewVerb prints what a person would want to know.
func (w *world) viewVerb([]string) error {
	v := w.state.View(w.now)
	fmt.Fprintf(&w.trace, "%s %s", w.at(), v.Phase)
	if v.Pause != "" {
		fmt.Fprintf(&w.trace, " (%s)", v.Pause)
	}
	fmt.Fprintf(&w.trace, " step %d of %d (%s), weight %s, clock %s of %s, judged %d of %d, budget %d of %d\n",
		v.Step+1, v.Steps, v.Stage.Name, v.Weight, v.Stage.Elapsed, v.Stage.Duration, v.Stage.Judged, v.Stage.MinRequests,
		v.Budget.Spent, v.Budget.Limit)
	if v.Hold != "" {
		fmt.Fprintf(&w.trace, "         hold (%s): %s\n", v.Hold, v.Reason)
	}
	fmt.Fprintf(&w.trace, "         next: %s\n", v.Next)
	for _, text := range v.WaitingFor {
		fmt.Fprintf(&w.trace, "         waits: %s\n", text)
	}
	for _, text := range v.Notes {
		fmt.Fprintf(&w.trace, "         note: %s\n", text)
	}
	if v.Verdict.Class != 0 { // its words are the judge's, and tested there
		fmt.Fprintf(&w.trace, "         verdict: %s, score %.0f\n", v.Verdict.Class, v.Verdict.Score)
	}
	fmt.Fprintf(&w.trace, "         possible: %v\n", v.Possible)
	return nil
}
