package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// specVerb configures a rollout: a new one, the same one, or another one in its place.
func (w *world) specVerb(args []string) error {
	spec, err := parseSpec(args)
	if err != nil {
		return err
	}
	return w.configure(spec)
}

func (w *world) configure(spec Spec) error {
	if w.state.ID == spec.ID() {
		w.make(configured(w.state, w.now, spec))
		return nil
	}
	if w.state.ID != "" && w.state.Phase != PhaseSuperseded {
		w.make(superseded(w.state, w.now, cause{reason: "the configuration names another rollout"}))
	}
	b := birth{revision: w.state.Revision, series: w.state.bequest(&spec)}
	w.judge = analysis.NewJudge(settings(&spec.Policy))
	w.spent, w.losses = 0, stats.Losses{}
	w.make(created(spec, w.now, b, ""))
	w.step(Observation{})
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
	var g gateOptions
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
		case "metric":
			e = addMetric(&spec.Policy.Checks, value)
		case "errors":
			spec.Policy.Checks.Errors.Statuses, e = parseStatuses(value)
		case "on_failure":
			spec.Policy.OnFailure = value
		case "start":
			spec.Start = value
		case "after":
			spec.After = strings.Split(value, ",")
		case "release":
			spec.Release = value
		case "canary":
			spec.Canary = value
		case "revision":
			spec.CanaryIdentity = value
		default:
			e = specKey(&spec, &g, &later, key, value)
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
	g.apply(&spec)
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
	c, err := w.parseCommand(args)
	if err != nil {
		return err
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

func (w *world) parseCommand(args []string) (Command, error) {
	c := Command{Kind: CommandKind(args[0]), Actor: "ann"}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "weight":
			weight, err := config.ParsePercent(value)
			if err != nil {
				return c, err
			}
			c.Weight = weight
		case "variant":
			c.Variant = value
		case "reason":
			c.Reason = strings.ReplaceAll(value, "_", " ")
		default:
			w.gateArgument(&c, key, value)
		}
	}
	return c, nil
}

// viewVerb prints what a person would want to know.
func (w *world) viewVerb([]string) error {
	v := w.state.View(w.now)
	w.party.relate(&v, &w.state)
	fmt.Fprintf(&w.trace, "%s %s%s", w.at(), w.label, v.Phase)
	if v.Pause != "" {
		fmt.Fprintf(&w.trace, " (%s)", v.Pause)
	}
	fmt.Fprintf(&w.trace, " step %d of %d (%s), weight %s, clock %s of %s, judged %d of %d, budget %d of %d\n",
		v.Step+1, v.Steps, v.Stage.Name, v.Weight, v.Stage.Elapsed, v.Stage.Duration, v.Stage.Judged, v.Stage.MinRequests,
		v.Budget.Spent, v.Budget.Limit)
	for _, k := range v.Budget.Kinds {
		if k.Kind != LossFailed {
			fmt.Fprintf(&w.trace, "         spent: %s\n", k)
		}
	}
	if v.Hold != "" {
		fmt.Fprintf(&w.trace, "         hold (%s): %s\n", v.Hold, v.Reason)
	}
	fmt.Fprintf(&w.trace, "         next: %s\n", v.Next)
	for _, text := range v.WaitingFor {
		fmt.Fprintf(&w.trace, "         waits: %s\n", text)
	}
	for _, r := range v.After {
		fmt.Fprintf(&w.trace, "         after: %s is %s, met %v\n", r.Service, r.Phase, r.Met)
	}
	if v.Release != nil {
		for _, r := range v.Release.Members {
			fmt.Fprintf(&w.trace, "         release %s: %s is %s, step %d of %d, done %v, together %v\n",
				v.Release.Name, r.Service, r.Phase, r.Step+1, r.Steps, r.Done, r.Together)
		}
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
