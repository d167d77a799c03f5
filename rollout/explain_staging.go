package rollout

import (
	"fmt"
	"strings"

	"haldane/config"
)

// explainStaging is what a policy does besides exposing more and more for some time.
func explainStaging(p *config.Policy) []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if r := p.Ramp; r != nil {
		add("the weight grows by itself from %s to %s: at most twofold every %s, while nothing leans to harm and %s; a person is asked after %s",
			r.From, r.To, r.Every, risked(p), r.MaxDuration)
	}
	for _, text := range stageWords(p.Steps) {
		add("%s", text)
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; len(s.Checks) > 0 {
			add("on step %d (%s) only %s and the budget count", i+1, s.Name, strings.Join(s.Checks, ", "))
		}
	}
	if share := shareOf(p); share < config.Whole {
		add("what an earlier version of the canary has passed takes the next one %s of its time and requests, but what the checks need", share)
	}
	if p.Patch != "" {
		add("a canary that differs from stable in its patch number alone is released under %s", p.Patch)
	}
	return list
}

// risked says what bounds a ramp besides time and harm.
func risked(p *config.Policy) string {
	switch most := p.Ramp.MaxFailures; {
	case most > 0 && p.Budget.FailedRequests > 0:
		return fmt.Sprintf("the failures of a canary that is not excluded yet would stay below %d and what is left of the budget", most)
	case most > 0:
		return fmt.Sprintf("the failures of a canary that is not excluded yet would stay below %d", most)
	case p.Budget.FailedRequests > 0:
		return "what is left of the budget would pay for a canary that is not excluded yet"
	}
	return "a canary that is not excluded yet would be found in time"
}

// stageWords say which steps make a stage, and who is exposed early.
func stageWords(steps []config.Step) []string {
	var list []string
	runs(steps, func(s *config.Step) string { return s.Stage }, func(where string, s *config.Step) {
		list = append(list, fmt.Sprintf("stage %s: %s", s.Stage, where))
	})
	early := func(s *config.Step) string {
		if s.OptIn == "" {
			return ""
		}
		return s.Strength.String() + " of those who opted in to " + s.OptIn + orEarlier(s.OptIn)
	}
	runs(steps, early, func(where string, s *config.Step) { list = append(list, where+": "+early(s)) })
	return list
}

// runs finds the steps that follow each other and say the same, unless it is nothing.
func runs(steps []config.Step, says func(*config.Step) string, found func(where string, s *config.Step)) {
	for first := 0; first < len(steps); {
		last, what := first, says(&steps[first])
		for last+1 < len(steps) && says(&steps[last+1]) == what {
			last++
		}
		if what != "" {
			found(stepRange(first, last), &steps[first])
		}
		first = last + 1
	}
}

func stepRange(first, last int) string {
	if first == last {
		return fmt.Sprintf("step %d", first+1)
	}
	return fmt.Sprintf("steps %d to %d", first+1, last+1)
}

// orEarlier names the levels that a level includes.
func orEarlier(level string) string {
	if level == config.LevelBeta {
		return " or " + config.LevelAlpha
	}
	return ""
}
