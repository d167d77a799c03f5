package rollout

import (
	"cmp"
	"slices"

	"haldane/config"
)

// A series are the rollouts of one service that supersede one another, from the same stable variant. What one of them has passed
// is passed more quickly by the next, if the policy says so: time and requests are cut, evidence is not. The rules are on the safe
// side. A stage was passed when all its steps were left because they were done; a step that a person skipped was not passed. It
// covers no more weight and strength than it had. And the series is forgotten with a promotion, with every rollback (whatever
// brought it about: what was passed before says little of what is tried after it), when a check had failed that a person was
// to decide about, and when the canary leaves the configuration.

// seriesLimit bounds what is remembered: the latest.
const seriesLimit = 64

// series is what the versions of a canary have passed.
type series struct {
	// Inherited is what earlier versions have passed, Own what this one has.
	Inherited []passage `json:"inherited,omitempty"`
	Own       []passage `json:"own,omitempty"`
	// Skipped names the stage of which a step was skipped by order.
	Skipped string `json:"skipped,omitempty"`
	// Short says that the running step is covered by what was inherited.
	Short bool `json:"short,omitempty"`
}

// passage is a stage that was passed or, where no stage is named, a step.
type passage struct {
	Stage string `json:"stage,omitempty"`
	Step  string `json:"step,omitempty"`
	// Weight and Strength are the largest that it had.
	Weight   config.Percent `json:"weight"`
	Strength config.Percent `json:"strength,omitempty"`
}

// passageOf is what a step belongs to.
func passageOf(step *config.Step) passage {
	p := passage{Stage: step.Stage, Weight: step.Weight}
	if p.Stage == "" {
		p.Step = cmp.Or(step.Name, exposure(step))
	}
	if step.Group() != "" {
		p.Strength = step.Strength
	}
	return p
}

// covers says whether an earlier version has passed what the step belongs to.
func (s *series) covers(step *config.Step) bool {
	want := passageOf(step)
	return slices.ContainsFunc(s.Inherited, func(p passage) bool {
		return p.Stage == want.Stage && p.Step == want.Step && p.Weight >= want.Weight && p.Strength >= want.Strength
	})
}

// leave notes that the running step is left: because it is done, or because a person goes on without that.
func (c *change) leave(why cause) {
	s, step := &c.s.Staging.Series, c.s.stage()
	if c.s.Bake {
		return
	}
	if why.trigger == TriggerOperator && c.s.Pause != PauseGate {
		s.Skipped = step.Stage
		return
	}
	p := passageOf(&step)
	if step.Stage != "" {
		if s.Skipped == step.Stage || !c.s.endsStage() {
			return
		}
		p = c.s.wholeStage()
	}
	s.Own = slices.Concat(s.Own, []passage{p})
	s.Own = s.Own[max(0, len(s.Own)-seriesLimit):]
}

// endsStage says whether the running step is the last one of its named stage.
func (s *State) endsStage() bool {
	next := s.Step + 1
	return next >= len(s.Policy.Steps) || s.Policy.Steps[next].Stage != s.Policy.Steps[s.Step].Stage
}

// wholeStage is the running step's stage with the most that it exposes.
func (s *State) wholeStage() passage {
	whole := passageOf(&s.Policy.Steps[s.Step])
	for i := range s.Policy.Steps {
		if p := passageOf(&s.Policy.Steps[i]); p.Stage == whole.Stage {
			whole.Weight, whole.Strength = max(whole.Weight, p.Weight), max(whole.Strength, p.Strength)
		}
	}
	return whole
}

// bequest is what the rollout that comes after this one in its service inherits; nothing unless it was superseded in mid-rollout
// by another version for the same stable.
func (s *State) bequest(next *Spec) series {
	if s.Phase != PhaseSuperseded || s.Pause == PauseFailed || s.Spec.Stable != next.Stable {
		return series{}
	}
	all := s.Staging.Series.Inherited
	for _, p := range s.Staging.Series.Own {
		all = slices.DeleteFunc(slices.Clone(all), func(old passage) bool { return old.Stage == p.Stage && old.Step == p.Step })
		all = append(all, p)
	}
	return series{Inherited: all[max(0, len(all)-seriesLimit):]}
}

// shareOf is the share of time and requests that a step takes which was passed before. A policy that was stored before there was
// such a share has zero, and cuts nothing.
func shareOf(p *config.Policy) config.Percent {
	if p.RestartFactor == 0 {
		return config.Whole
	}
	return p.RestartFactor
}

// shortened is a step with the policy's share of its time and requests, but not with less than its checks need to fail, or to say
// anything: as many burst windows as must speak against the canary, as many requests as are data, and on the first step of
// a rollout the warm-up before latencies are judged. It never has more than it had.
func shortened(step config.Step, p *config.Policy, first bool) config.Step {
	share, least := shareOf(p).Ratio(), needs(&step, p, first)
	step.Duration = max(config.Duration(float64(step.Duration)*share), min(step.Duration, least.time))
	step.MinRequests = max(int(float64(step.MinRequests)*share), min(step.MinRequests, least.requests))
	return step
}

// need is what checks take to judge at all.
type need struct {
	time     config.Duration
	requests int
}

func (n *need) add(window config.Duration, windows, requests int) {
	n.time = max(n.time, window*config.Duration(windows))
	n.requests = max(n.requests, requests)
}

// needs are those of the checks that count on the step.
func needs(step *config.Step, p *config.Policy, first bool) need {
	var n, latency need
	if e := &p.Checks.Errors; !e.Muted && counts(step, checkErrors) {
		n.add(e.Window, e.Windows, e.MinRequests)
	}
	for name, e := range p.Checks.Events {
		if !e.Muted && counts(step, name) {
			n.add(e.Window, e.Windows, e.MinRequests)
		}
	}
	for name, l := range p.Checks.Latency {
		if !l.Muted && counts(step, name) {
			latency.add(l.Window, l.Windows, l.MinRequests)
		}
	}
	if first && latency.time > 0 {
		latency.time += p.Checks.WarmUp
	}
	n.add(latency.time, 1, latency.requests)
	return n
}
