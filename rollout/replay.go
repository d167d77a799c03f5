package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
)

// Replay is what a policy would have made of a recorded rollout.
type Replay struct {
	// Began is when the recording begins.
	Began time.Time `json:"began"`
	// Phase is where it would have come to, After the time since the beginning; the end of the recording if it was still under way.
	Phase Phase           `json:"phase"`
	After config.Duration `json:"after"`
	// Ended says that it was decided, or waits for a person, before the recording ended.
	Ended bool `json:"ended"`
	// Rule is what decided, in one sentence; why it waits, when it waits for a person.
	Rule string `json:"rule,omitempty"`
	// Requests are the canary's until then, Failed how many of them failed.
	Requests uint64 `json:"canary_requests"`
	Failed   uint64 `json:"canary_failed"`
	// Checks are the evidence at that time.
	Checks []report.Check `json:"checks"`
	// Moments are what would have happened; their times are those of the recording.
	Moments []report.Moment `json:"moments"`
	// Notes are what the replay cannot know.
	Notes []string `json:"notes"`
}

// replayTick is how often a replay looks. A recording knows nothing shorter.
const replayTick = time.Second

// NewReplay judges a recorded rollout again, under a policy with at least one step. It is the same core and the same judge as in a rollout;
// approvals are given at once.
//
// Only what was seen is judged: where the policy exposes fewer than were exposed, canary requests are left out, evenly, and those that
// would then have gone to stable are not made up; where it exposes more, the recorded requests are judged as they were drawn. Both
// make evidence grow slower than it would have, never faster.
func NewReplay(recording *report.Recording, p *config.Policy) Replay {
	policy := replayed(p)
	spec := Spec{Service: "replay", Stable: "stable", Canary: "canary", Policy: policy}
	s := replayer{
		tape: newTape(recording), state: newState(spec, recording.Began, birth{}), judge: analysis.NewJudge(settings(&policy)),
		out: Replay{Began: recording.Began, Moments: []report.Moment{}, Notes: []string{}},
	}
	end := recording.Began.Add(recording.Lasts())
	now := recording.Began
	for ; !now.After(end) && !s.over(); now = now.Add(replayTick) {
		s.tick(now)
	}
	s.conclude(now.Add(-replayTick))
	s.out.Notes = append(s.out.Notes, leftOut(p)...)
	return s.out
}

// replayed is what can be replayed of a policy: windows, freezes, hooks and checklists are about the day and about others, and business
// metrics are not recorded.
func replayed(p *config.Policy) config.Policy {
	r := p.Steady()
	r.Windows, r.Freezes, r.Hooks = nil, nil, config.Hooks{}
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		r.Steps[i].Checklist = nil
	}
	r.Checks.Metrics = maps.Clone(r.Checks.Metrics)
	for name, check := range r.Checks.Metrics {
		check.Muted = true
		r.Checks.Metrics[name] = check
	}
	return r
}

// leftOut says what of a policy is not replayed.
func leftOut(p *config.Policy) []string {
	var list []string
	lists := slices.ContainsFunc(p.Steps, func(s config.Step) bool { return len(s.Checklist) > 0 })
	if lists || len(p.Windows)+len(p.Freezes) > 0 || !p.Hooks.Empty() {
		list = append(list, "windows, freezes, hooks and checklists are left out, as if all of them had been open")
	}
	if len(p.Checks.Metrics) > 0 {
		list = append(list, "business metrics are not recorded: here they count for nothing")
	}
	if b := &p.Budget; b.ExcessFailures+b.SlowRequests+b.ExposedUsers > 0 {
		list = append(list, "of the budget only failed requests are replayed")
	}
	return list
}

// replayer is a replay under way.
type replayer struct {
	tape  tape
	state State
	judge *analysis.Judge
	spent uint64
	fewer bool // than the policy asks for were exposed, at times
	out   Replay
}

// over says whether nothing more happens by itself. An approval is given at once.
func (s *replayer) over() bool {
	return !s.state.Phase.Live() || s.state.Phase == PhasePaused
}

// tick lets a second pass.
func (s *replayer) tick(now time.Time) {
	split := s.state.split()
	o := Observation{}
	var blocks []analysis.Block
	if s.state.Phase.exposing() {
		blocks = s.seen(&split, &o)
		s.judge.Observe(now, blocks)
	}
	o.Verdict = s.judge.Verdict()
	s.spent += o.Canary.Failed
	s.out.Requests, s.out.Failed = s.out.Requests+o.Canary.Requests, s.out.Failed+o.Canary.Failed
	o.Spent = s.spent
	s.act(Step(s.state, now, o))
	if s.state.Phase == PhasePaused && s.state.Pause == PauseGate {
		next, actions, err := Apply(s.state, now, Command{Kind: CommandPromote, Reason: "approved by the replay"})
		if err == nil {
			s.act(next, actions)
		}
	}
}

// seen is what the split would have shown of what was recorded.
func (s *replayer) seen(split *Split, o *Observation) []analysis.Block {
	second := s.tape.next()
	part := 1.0
	var blocks []analysis.Block
	for i := range second.draws {
		d := &second.draws[i]
		want := split.Weight
		if d.stratum == stratumSegment {
			want = split.Strength
		}
		s.fewer = s.fewer || d.weight < want
		keep, weight := thinned(want, d.weight)
		if d.stratum == stratumSplit {
			part = min(1, want.Ratio()/max(d.weight.Ratio(), 1e-9))
		}
		b := d.block(keep, weight.Ratio())
		if split.compares(d.stratum) && teaches(weight) {
			o.Judged += b.Canary.Bad + b.Canary.Good
			o.Reference += b.Stable.Bad + b.Stable.Good
		}
		blocks = append(blocks, b)
	}
	o.Canary = Seen{Requests: s.tape.part(0, second.canary[0], part), Failed: s.tape.part(1, second.canary[1], part)}
	o.Stable = Seen{Requests: second.stable[0], Failed: second.stable[1]}
	return blocks
}

// thinned is the part of the canary's requests that would have been drawn if the weight had been another one, and the weight that they
// are then drawn with. Of stable's requests there are as many as there were, so odds are what is thinned.
func thinned(want, was config.Percent) (part float64, weight config.Percent) {
	switch {
	case want >= was:
		return 1, was
	case was >= config.Whole:
		return want.Ratio(), want
	}
	odds := func(w config.Percent) float64 { return w.Ratio() / (1 - w.Ratio()) }
	return odds(want) / odds(was), want
}

// act makes a transition.
func (s *replayer) act(next State, actions []Action) {
	now := next.Ticked
	before := s.state.split()
	s.state = next
	for _, a := range actions {
		switch a.Kind {
		case ActionSplit:
			if a.Split.reweighs(before) {
				s.judge.WeightChanged(now)
			}
		case ActionNewStep:
			s.judge.NewStep(now)
		case ActionStartOver:
			s.judge.StartOver(now)
		case ActionRenew:
			renewWhole(s.judge, now)
		case ActionAnnounce:
			e := &a.Event
			s.out.Moments = append(s.out.Moments, report.Moment{
				Time: e.Time, Kind: string(e.Kind), Step: e.StepName, Weight: e.Weight, Reason: e.Reason, Numbers: e.Numbers,
			})
			if e.Kind == EventRolledBack || e.Kind == EventPromoted || e.Kind == EventPaused {
				s.out.Rule = rule(e)
			}
		}
	}
}

// conclude says how it ended and what it could not know.
func (s *replayer) conclude(now time.Time) {
	began := s.tape.recording.Began
	s.out.Phase, s.out.Ended, s.out.After = s.state.Phase, s.over(), config.Duration(now.Sub(began))
	s.out.Checks = reportChecks(s.state.Verdict.Checks)
	note := func(format string, args ...any) { s.out.Notes = append(s.out.Notes, fmt.Sprintf(format, args...)) }
	if !s.out.Ended {
		s.out.Rule = ""
		note("the recording ends before this policy had decided; what the canary would have done then is not known; by then: %s", s.state.Verdict.Sentence())
	}
	if s.fewer {
		note("at times fewer were exposed than this policy asks for: what the canary would have done with more is not known, " +
			"so that it is judged on less evidence than it would have had")
	}
	if slot := time.Duration(s.tape.recording.Counts.Slot); slot > firstRecorded {
		note("the recording knows no shorter time than %s: within it requests are spread evenly", slot)
	}
	if len(s.state.Policy.Checks.Events) > 0 {
		note("events are not recorded: the checks of events have no data")
	}
	note("what counts as failed is what counted when it was recorded")
}

// firstRecorded is the length of the slots of a recording that knows every second.
const firstRecorded = time.Second
