package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"haldane/config"
)

// specOption reads the parts of a spec that are about checks' outcomes, budgets and what follows a failure.
func specOption(p *config.Policy, key, value string) (known bool, err error) {
	switch key {
	case "on": // CHECK:OUTCOME:ACTION
		words := strings.Split(value, ":")
		if len(words) != 3 {
			return true, fmt.Errorf("%w: on=%s", errScenario, value)
		}
		return true, setOutcome(&p.Checks, words[0], words[1], words[2])
	case "muted":
		return true, editCheck(&p.Checks, value, func(c anyCheck) { *c.muted = true })
	case "uncritical":
		return true, editCheck(&p.Checks, value, func(c anyCheck) { *c.critical = false })
	case "excess":
		p.Budget.ExcessFailures, err = strconv.Atoi(value)
	case "slow":
		p.Budget.SlowAfter = config.Duration(1e9)
		p.Budget.SlowRequests, err = strconv.Atoi(value)
	case "users":
		p.Budget.ExposedUsers, err = strconv.Atoi(value)
	case "on_exposed":
		p.Budget.OnExposed = value
	case "partial":
		err = addPartial(p, value)
	case "cool_down":
		p.CoolDown, err = config.ParseDuration(value)
	case "retries":
		p.Retries, err = strconv.Atoi(value)
	default:
		return false, nil
	}
	return true, err
}

// anyCheck is what all checks have.
type anyCheck struct {
	critical, muted *bool
	on              *config.Outcomes
}

// editCheck changes a check of any kind.
func editCheck(c *config.Checks, name string, edit func(anyCheck)) error {
	if name == checkErrors {
		edit(anyCheck{&c.Errors.Critical, &c.Errors.Muted, &c.Errors.On})
		return nil
	}
	if l, is := c.Latency[name]; is {
		edit(anyCheck{&l.Critical, &l.Muted, &l.On})
		c.Latency[name] = l
		return nil
	}
	e, is := c.Events[name]
	if !is {
		return fmt.Errorf("%w: there is no check %s", errScenario, name)
	}
	edit(anyCheck{&e.Critical, &e.Muted, &e.On})
	c.Events[name] = e
	return nil
}

func setOutcome(c *config.Checks, name, outcome, action string) error {
	return editCheck(c, name, func(check anyCheck) {
		switch outcome {
		case "pass":
			check.on.Pass = action
		case "marginal":
			check.on.Marginal = action
		case "fail":
			check.on.Fail = action
		case "no_data":
			check.on.NoData = action
		}
	})
}

// lossesVerb says what the rollout has cost so far, as the requests have charged it between two ticks.
func (w *world) lossesVerb(args []string) error {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		switch key {
		case "excess":
			w.losses.Excess = n
		case "slow":
			w.losses.Slow = uint64(n)
		case "users":
			w.losses.Users = uint64(n)
		default:
			return fmt.Errorf("%w: losses has no %q", errScenario, key)
		}
	}
	w.now = w.now.Add(10 * 1e6)
	w.make(Step(w.state, w.now, Observation{Verdict: w.judge.Verdict(), Spent: w.spent, Losses: w.losses}))
	return nil
}
