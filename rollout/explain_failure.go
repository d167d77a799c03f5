package rollout

import (
	"fmt"

	"haldane/config"
)

// explainMetric is what a business metric allows.
func explainMetric(name string, c *config.MetricCheck) string {
	text := fmt.Sprintf("check %s: a %s from %s", name, c.Kind, map[string]string{
		config.SourceField: "the response field " + c.Field, config.SourcePrometheus: "a Prometheus", config.SourcePosted: "what is posted",
	}[c.Source])
	if c.Relative > 0 || c.Absolute > 0 {
		text += fmt.Sprintf("; harm is %s, by more than %s of stable's and %s on top", c.Direction, c.Relative, c.Absolute)
	}
	if c.Max.Set {
		text += fmt.Sprintf("; never more than %s", c.Max)
	}
	if c.Min.Set {
		text += fmt.Sprintf("; never less than %s", c.Min)
	}
	return text + weight(fatal(&c.On, c.Critical), c.Muted)
}

// explainOutcomes is what the policy says of single checks.
func explainOutcomes(p *config.Policy) []string {
	var list []string
	add := func(name string, on *config.Outcomes) {
		for _, o := range [...]struct{ when, word string }{
			{"passes", on.Pass}, {"is undecided", on.Marginal}, {"fails", on.Fail}, {"has no data", on.NoData}, {"has an error for its data", on.Error},
		} {
			if o.word != "" {
				list = append(list, fmt.Sprintf("when %s %s: %s", name, o.when, o.word))
			}
		}
	}
	add(checkErrors, &p.Checks.Errors.On)
	for _, name := range levels(p.Checks.Latency) {
		on := p.Checks.Latency[name].On
		add(name, &on)
	}
	for _, name := range eventNames(&p.Checks) {
		on := p.Checks.Events[name].On
		add(name, &on)
	}
	for _, name := range metricNames(&p.Checks) {
		on := p.Checks.Metrics[name].On
		add(name, &on)
	}
	return list
}

// explainFailure is what ends a rollout, and what comes then.
func explainFailure(p *config.Policy) []string {
	does := "rolls back at once"
	switch p.OnFailure {
	case config.FailurePause:
		does = "waits for a person, with the weight as it is"
	case config.FailureStepBack:
		does = "takes the canary one step back at once, from each step once, and then rolls back"
	}
	list := []string{fmt.Sprintf("a check that fails %s; that happens to a good canary in at most %s of all rollouts", does, p.Alpha)}
	if p.Partial != nil && p.Partial.OnFailure == config.PartAlone {
		list = append(list, fmt.Sprintf("when only parts fail (of %v), and not more than half of them, only these go back", p.Partial.Parts()))
	}
	list = append(list, explainBudget(&p.Budget)...)
	if p.Retries > 0 {
		list = append(list, fmt.Sprintf("after a rollback by a check or the budget it begins again by itself, %d times, each after %s", p.Retries, p.CoolDown))
	} else if p.CoolDown > 0 {
		list = append(list, fmt.Sprintf("after a rollback by a check or the budget a retry is refused for %s, unless it is forced", p.CoolDown))
	}
	return list
}

// explainBudget is where a rollout ends, whatever the checks say.
func explainBudget(b *config.Budget) []string {
	var list []string
	if n := b.FailedRequests; n > 0 {
		list = append(list, fmt.Sprintf("the budget: at the failed canary request number %d it rolls back at once, whatever the checks say", n))
	}
	if n := b.ExcessFailures; n > 0 {
		list = append(list, fmt.Sprintf("the budget: at %d canary failures beyond stable's rate it rolls back at once", n))
	}
	if n := b.SlowRequests; n > 0 {
		list = append(list, fmt.Sprintf("the budget: at the canary request number %d that takes longer than %s it rolls back at once", n, b.SlowAfter))
	}
	if n := b.ExposedUsers; n > 0 {
		does := "it waits for a person, with the weight as it is"
		if b.OnExposed == config.FailureRollBack {
			does = "it rolls back at once"
		}
		list = append(list, fmt.Sprintf("the budget: at %d users on the canary %s", n, does))
	}
	if len(list) == 0 {
		list = append(list, "there is no budget: only checks and people end a rollout")
	}
	return list
}

// explainGates is what a rollout waits for besides the judge and people. A rollback waits for none of it.
func explainGates(p *config.Policy) []string {
	var list []string
	if n := len(p.Windows); n > 0 {
		list = append(list, fmt.Sprintf("it begins, and takes steps, within its windows alone (there are %d)", n))
	}
	for i := range p.Freezes {
		list = append(list, "nothing is changed while this freeze lasts: "+p.Freezes[i].Reason)
	}
	for _, point := range config.HookPoints() {
		for _, h := range p.Hooks.At(point) {
			does := "is asked"
			if point == config.HookPostRollout || point == config.HookEvent {
				does = "is told"
			}
			list = append(list, fmt.Sprintf("at %s the hook %s %s", point, h.Name, does))
		}
	}
	return list
}
