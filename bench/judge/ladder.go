package main

import (
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/rollout"
)

// ladder is a whole rollout: the weights are up to who runs it.
type ladder struct {
	scenario
	least float64 // least share of promotions under policy A; 0 for none asked
	never string  // policies that must promote none: "", "A" (and B), or "B"
}

// conductor runs whole rollouts.
type conductor struct {
	name string
	what string
	slow bool // played in a quarter of the runs
	make func() director
}

// director is one rollout.
type director interface {
	// weight is the one in force.
	weight() float64
	// step takes a tick and says how the rollout stands.
	step(v *view) ending
}

// ending is how a rollout ended.
type ending uint8

const (
	running ending = iota
	promoted
	rolledBack
	held
)

// ladderEnd is how one rollout ended, and what it took.
type ladderEnd struct {
	End    ending
	At     time.Duration
	Failed uint64
}

// ladderMost is when a rollout that neither ends nor asks is taken to be held.
const ladderMost = 3 * time.Hour

func conductors() []conductor {
	return []conductor{
		{
			"A", "1-5-25-50 %, at least a minute each, no_regression on all steps, no bake", false,
			func() director { return newCareful(ladderPolicy(false)) },
		},
		{"B", "the same, but the last step must be proven", false, func() director { return newCareful(ladderPolicy(true)) }},
		{
			"careful", "Haldane's built-in policy: five minutes each, ten minutes of bake (a quarter of the runs)", true,
			func() director { return newCareful(config.Careful()) },
		},
		{"Flagger", "1-5-25-50 %, a check a minute, 5 failed checks", false, func() director { return &stairs{} }},
	}
}

func (l *ladder) play(law *law, d *dice, c conductor) ladderEnd {
	w := newWorld(law, d)
	p := c.make()
	var v view
	var failed uint64
	for at := -history + tickLength; at <= ladderMost; at += tickLength {
		weight := 0.0
		if at > 0 {
			weight = p.weight()
		}
		k := w.next(at, weight)
		v.take(k)
		failed += k.doomed
		if end := p.step(&v); end != running {
			return ladderEnd{end, at, failed}
		}
	}
	return ladderEnd{held, ladderMost, failed}
}

// ladderPolicy is the ladder with latency judged too.
func ladderPolicy(proven bool) config.Policy {
	p := config.DefaultPolicy()
	p.Bake = config.Bake{}
	for _, percent := range []config.Percent{1, 5, 25, 50} {
		step := config.DefaultStep()
		step.Weight = percent * (config.Whole / 100)
		p.Steps = append(p.Steps, step)
	}
	if proven {
		p.Steps[len(p.Steps)-1].AdvanceWhen = config.AdvanceProven
	}
	return p
}

// careful is a rollout as Haldane runs it: its core, its judge, and a clock that the benchmark turns.
type careful struct {
	state rollout.State
	judge *analysis.Judge
	share float64
	feed  feed
	spent uint64
}

func newCareful(p config.Policy) *careful {
	spec := rollout.Spec{Service: "bench", Stable: "stable", Canary: "canary", Policy: p, PolicyName: "bench"}
	now := clock(0)
	return &careful{
		judge: analysis.NewJudge(fullSettings()),
		state: rollout.State{
			Version: 1, ID: spec.ID(), Attempt: 1, Spec: spec, Policy: p, PolicyName: spec.PolicyName,
			Phase: rollout.PhasePending, Created: now, Ticked: now,
		},
	}
}

func (c *careful) weight() float64 {
	if c.state.Phase == rollout.PhasePending { // the first look starts it
		c.act(rollout.Step(c.state, clock(0), rollout.Observation{}))
	}
	return c.share
}

func (c *careful) step(v *view) ending {
	now := clock(v.tick.at)
	blocks := c.feed.take(v.tick)
	c.judge.Observe(now, blocks)
	if v.tick.at <= 0 {
		return running
	}
	b := &blocks[0]
	c.spent += b.Canary.Bad
	c.act(rollout.Step(c.state, now, rollout.Observation{
		Verdict: c.judge.Verdict(),
		Canary:  rollout.Seen{Requests: b.Canary.Bad + b.Canary.Good, Failed: b.Canary.Bad},
		Stable:  rollout.Seen{Requests: b.Stable.Bad + b.Stable.Good, Failed: b.Stable.Bad},
		Judged:  b.Canary.Bad + b.Canary.Good, Reference: b.Stable.Bad + b.Stable.Good,
		Spent: c.spent,
	}))
	return c.ending()
}

func (c *careful) ending() ending {
	switch c.state.Phase {
	case rollout.PhasePromoted:
		return promoted
	case rollout.PhaseRolledBack:
		return rolledBack
	case rollout.PhasePaused:
		return held
	}
	return running
}

// act does what a transition asks for.
func (c *careful) act(next rollout.State, actions []rollout.Action) {
	c.state = next
	now := next.Ticked
	for _, a := range actions {
		switch a.Kind {
		case rollout.ActionSplit:
			if w := a.Split.Weight.Ratio(); w != c.share {
				c.share = w
				c.judge.WeightChanged(now)
			}
		case rollout.ActionNewStep:
			c.judge.NewStep(now)
		case rollout.ActionStartOver:
			c.judge.StartOver(now)
		}
	}
}

// stairs is Flagger's way: a good check leads a step up, a failed one counts.
type stairs struct {
	rule flagger
	up   int
}

func (s *stairs) weight() float64 { return [...]float64{0.01, 0.05, 0.25, 0.5}[min(s.up, 3)] }

func (s *stairs) step(v *view) ending {
	if !due(v.tick.at, time.Minute) {
		return running
	}
	s.rule.threshold = 5
	before := s.rule.failed
	_, rollBack := s.rule.look(v)
	switch {
	case rollBack:
		return rolledBack
	case s.rule.failed > before:
		return running
	}
	s.up++
	if s.up == 4 {
		return promoted
	}
	return running
}

// String is the word for it in the tables.
func (e ending) String() string {
	return [...]string{"running", "promoted", "rolled back", "held"}[e]
}
