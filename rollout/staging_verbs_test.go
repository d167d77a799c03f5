package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"haldane/config"
)

// stagingSpec reads what a spec says about stages, early users, checks of steps, the ramp and what was passed:
//
//	stages=internal,internal,early  of the steps, in their order; "-" for none
//	opt_in=-,beta                   likewise
//	checks=errors+p99,-             likewise
//	strength=10%                    of every step
//	ramp=1%-50%/1m                  in the place of steps
//	risk=20                         the ramp's max_failures
//	restart=25%
func stagingSpec(spec *Spec, key, value string) (known bool, err error) {
	p := &spec.Policy
	each := func(set func(*config.Step, string)) {
		for i, word := range strings.Split(value, ",") {
			if word != "-" {
				set(&p.Steps[i], word)
			}
		}
	}
	switch key {
	case "stages":
		each(func(s *config.Step, word string) { s.Stage = word })
	case "opt_in":
		each(func(s *config.Step, word string) { s.OptIn = word })
	case "checks":
		each(func(s *config.Step, word string) { s.Checks = strings.Split(word, "+") })
	case "restart":
		p.RestartFactor, err = config.ParsePercent(value)
	case "risk":
		p.Ramp.MaxFailures, err = strconv.Atoi(value)
	case "ramp":
		*p, err = rampPolicy(*p, value)
	default:
		return false, nil
	}
	return true, err
}

// rampPolicy is a policy with a ramp in the place of its steps.
func rampPolicy(p config.Policy, text string) (config.Policy, error) {
	way, every, _ := strings.Cut(text, "/")
	from, to, _ := strings.Cut(way, "-")
	r := config.Ramp{MaxDuration: p.Steps[0].MaxDuration, MinRequests: p.Steps[0].MinRequests, AdvanceWhen: config.AdvanceNoRegression}
	var err, e error
	if r.From, e = config.ParsePercent(from); e != nil {
		err = e
	}
	if r.To, e = config.ParsePercent(to); e != nil {
		err = e
	}
	if r.Every, e = config.ParseDuration(every); e != nil {
		err = e
	}
	p.Ramp, p.Steps = &r, nil
	return p.Steady(), err
}

// finishSpec reads them once the steps are there.
func finishSpec(spec *Spec, args []string) error {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		known, err := stagingSpec(spec, key, value)
		if err != nil {
			return err
		}
		if !known {
			return fmt.Errorf("%w: spec has no %q", errScenario, key)
		}
	}
	return nil
}
