package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// View is a rollout as people and programs see it.
type View struct {
	// Service, ID (of this attempt) and Attempt (from 1) say which rollout it is.
	Service string `json:"service"`
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	// Stable and Canary are its variants, Policy the name of the policy in force.
	Stable string `json:"stable"`
	Canary string `json:"canary"`
	Policy string `json:"policy"`
	// Phase is where it is, Pause what it waits for when it is paused, Hold why the clock stands still.
	Phase Phase `json:"phase"`
	Pause Pause `json:"pause,omitempty"`
	Hold  Hold  `json:"hold,omitempty"`
	// Reason says in a sentence why it is where it is; with a hold, why the clock stands still.
	Reason string `json:"reason"`
	// Next says what happens next, and WaitingFor what is missing for it. NeedsPerson says that only a person can go on.
	Next        string   `json:"next"`
	WaitingFor  []string `json:"waiting_for"`
	NeedsPerson bool     `json:"needs_person"`
	// Notes are what else one has to know.
	Notes []string `json:"notes"`
	// Weight is the canary's share of randomised traffic right now. Segment and those who opted in at OptIn are exposed as well, by
	// Strength.
	Weight   config.Percent `json:"weight"`
	Segment  string         `json:"segment,omitempty"`
	OptIn    string         `json:"opt_in,omitempty"`
	Strength config.Percent `json:"strength,omitempty"`
	// Override names the variant that takes all traffic by order; empty for none.
	Override string `json:"override,omitempty"`
	// SplitRevision counts the splits of the service.
	SplitRevision uint64 `json:"split_revision"`
	// Revision names the state: it is another one after every event of the history, and no other rollout ever has the same. Numbers
	// that only count requests and time do not change it.
	Revision string `json:"revision"`
	// Step counts from 0 to Steps-1; while baking and after the end it is the last.
	Step  int `json:"step"`
	Steps int `json:"steps"`
	// Stage is the running step or the bake.
	Stage StageView `json:"stage"`
	// Stages are all of its way, the bake last. They are in the view of one service alone.
	Stages []StageSketch `json:"stages,omitempty"`
	// Created, Started, Entered (the step) and Ended are when; zero for not yet.
	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"`
	Entered time.Time `json:"entered,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// RetryAt is when it is tried again by itself after a rollback; zero for never.
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Verdict is the judge's last word. Approximate says that few users vote, so that it promises less.
	Verdict     analysis.Verdict `json:"verdict"`
	Approximate bool             `json:"approximate"`
	// Budget is the stop-loss.
	Budget BudgetView `json:"budget"`
	// Possible are the commands it takes now.
	Possible []CommandKind `json:"possible"`
	// History is what happened, oldest first.
	History []Event `json:"history"`
	// After are the rollouts that come before this one, sorted by service; those without a rollout are left out. Release is
	// what it is released with; nil when it is released alone.
	After   []Relative   `json:"after,omitempty"`
	Release *ReleaseView `json:"release,omitempty"`
	// Waits says that it may not begin, or not take its step, before another service has; WaitingFor says which and why.
	Waits bool `json:"waits,omitempty"`
	// Place is where it is, for orders that are meant for just there.
	Place Place `json:"place,omitzero"`
	// Gates is what it waits for besides the judge.
	Gates GatesView `json:"gates,omitzero"`
	// Parts are the parts of the service that are judged apart, in the order in which a request is held against them.
	Parts []PartView `json:"parts,omitempty"`
}

// StageView is the running step, or the bake.
type StageView struct {
	// Name is the step's, by default its weight or segment, or "bake".
	Name string `json:"name"`
	// Elapsed is the time that counts, of Duration at least and MaxDuration at most.
	Elapsed     config.Duration `json:"elapsed"`
	Duration    config.Duration `json:"duration"`
	MaxDuration config.Duration `json:"max_duration"`
	// Requests, Failed and Judged count the canary requests of the step: all, failed, and compared with stable's.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	Judged   uint64 `json:"judged"`
	// MinRequests is how many compared ones the step needs.
	MinRequests int `json:"min_requests"`
	// Missing is how many more compared ones it takes until the stage can be left, for MinRequests and for the evidence that a
	// last stage waits for. Left is how long it still takes at the present rate, if nothing speaks against the canary; zero
	// when that is not known.
	Missing uint64          `json:"missing_requests"`
	Left    config.Duration `json:"left,omitempty"`
	// Rest says both in words; empty when neither is known.
	Rest string `json:"rest,omitempty"`
	// Forecast is what the stage can know by its end, at the present rate. It is in the view of one service alone.
	Forecast *StageForecast `json:"forecast,omitempty"`
	// AdvanceWhen is the judge's condition, Approval says whether a person's is needed too.
	AdvanceWhen string `json:"advance_when"`
	Approval    bool   `json:"approval"`
	// Compared says whether there is randomised traffic to compare the canary with.
	Compared bool `json:"compared"`
	// Stage is the named stage that the step belongs to; empty for none.
	Stage string `json:"stage,omitempty"`
	// Checks are those that count on the step; empty for all.
	Checks []string `json:"checks,omitempty"`
	// Ramp is the ramp that the weight grows on; nil for a step.
	Ramp *RampView `json:"ramp,omitempty"`
}

// BudgetView is the stop-loss.
type BudgetView struct {
	// Limit is the number of failed canary requests at which the rollout is rolled back; zero for no limit.
	Limit uint64 `json:"limit"`
	// Spent is how many have failed in this attempt; Left is what is left of the limit, zero without one.
	Spent uint64 `json:"spent"`
	Left  uint64 `json:"left"`
	// Kinds are all that the policy bounds, these among them.
	Kinds []LossView `json:"kinds"`
}

// revision names the state: the attempt, and the number of its last event.
func (s *State) revision() string {
	return drawID(s.ID, s.Attempt) + "." + strconv.FormatUint(s.Sequence, 10)
}

// View shows the state at a moment.
func (s *State) View(now time.Time) View {
	split := s.split()
	v := View{
		Service: s.Spec.Service, ID: split.Rollout, Attempt: s.Attempt,
		Stable: s.Spec.Stable, Canary: s.Spec.Canary, Policy: s.PolicyName,
		Phase: s.Phase, Pause: s.Pause, Hold: s.Hold, Reason: s.Reason,
		Weight: split.Weight, Segment: split.Segment, OptIn: split.OptIn, Strength: split.Strength, Override: split.Override,
		SplitRevision: s.Revision, Revision: s.revision(),
		Created: s.Created, Started: s.Started, Entered: s.Entered, Ended: s.Ended,
		Verdict: s.Verdict, Approximate: s.approximate(),
		Step: min(s.Step, len(s.Policy.Steps)-1), Steps: len(s.Policy.Steps), Stage: s.stageView(now, split), Budget: s.budgetView(), Possible: s.Possible(),
		History: slices.Clone(s.History),
	}
	if v.Verdict.Checks == nil { // a list in JSON also when it is empty
		v.Verdict.Checks = []analysis.CheckVerdict{}
	}
	if v.Verdict.Groups == nil {
		v.Verdict.Groups = []analysis.GroupScore{}
	}
	if s.retries() > 0 {
		v.RetryAt = s.Setbacks.Cooled
	}
	if s.Hold != "" {
		v.Reason = s.held(now)
	}
	v.Next, v.WaitingFor, v.NeedsPerson = s.next(now)
	v.Notes = s.notes(split)
	v.Waits = len(s.Unit.Waits) > 0 || s.Hold == HoldDependency || s.Hold == HoldRelease
	v.Place, v.Gates, v.Parts = s.place(), s.gatesView(now), s.partViews()
	return v
}

func (s *State) stageView(now time.Time, split Split) StageView {
	stage, missing, left := s.stage(), s.missing(), seconds(s.left(now))
	return StageView{
		Name:     s.stageName(),
		Elapsed:  config.Duration(s.Clock.Truncate(time.Millisecond)),
		Duration: config.Duration(s.least()), MaxDuration: stage.MaxDuration,
		Requests: s.StepRequests, Failed: s.StepFailed, Judged: s.StepJudged, MinRequests: stage.MinRequests,
		Missing: missing, Left: left, Rest: rest(left, missing),
		AdvanceWhen: stage.AdvanceWhen, Approval: stage.Approval, Compared: s.Phase.exposing() && split.compared(),
		Stage: stage.Stage, Checks: stage.Checks, Ramp: s.rampView(),
	}
}

// next says what happens next, what is missing for it, and whether only a person can go on.
func (s *State) next(now time.Time) (text string, waits []string, person bool) {
	switch s.Phase {
	case PhasePending:
		if len(s.Unit.Waits) > 0 {
			return s.nextOfUnit()
		}
		if s.Spec.Start == config.StartManual && s.gate().Ordered == nil {
			return "the first step, with start", []string{"the start command"}, true
		}
		return "the first step", s.waitsToBegin(now), false
	case PhasePaused:
		command := CommandResume
		if s.Pause == PauseGate {
			command = CommandPromote
		}
		return s.nextStage(), []string{fmt.Sprintf("%s, or another command: %s", command, s.PauseText)}, true
	case PhaseProgressing, PhaseBaking:
		waits = []string{}
		if s.Hold != "" {
			waits = append(waits, s.held(now))
		}
		if s.Hold != HoldStore { // there only the disk is missing
			held := s.held(now)
			waits = append(waits, slices.DeleteFunc(s.waits(now), func(text string) bool { return text == held })...)
		}
		waits = append(waits, s.Unit.texts()...)
		return s.nextStage(), waits, s.Hold == HoldCheck
	case PhasePromoted:
		return fmt.Sprintf("name %s as stable in the configuration", s.Spec.Canary), []string{}, false
	case PhaseRolledBack:
		text, waits = s.afterRollback(now)
		return text, waits, false
	}
	return "", []string{}, false
}

// held says why the clock stands still. How long a silence lasts is not written down while it does.
func (s *State) held(now time.Time) string {
	if s.hold(now, s.Verdict) == s.Hold {
		return s.holdText(s.Hold, now, s.Verdict)
	}
	return s.HoldText
}

// nextStage is what comes after the running stage.
func (s *State) nextStage() string {
	p := &s.Spec.Policy
	i, more := s.nextStep()
	switch {
	case s.Bake:
		return "promoted: " + s.Spec.Canary + " takes all traffic"
	case s.climbing():
		return fmt.Sprintf("more than %s, up to %s", s.Staging.Ramp.Weight, s.Policy.Ramp.To)
	case more:
		return fmt.Sprintf("step %d of %d: %s", i+1, len(p.Steps), exposure(&p.Steps[i]))
	case p.Bake.Duration > 0:
		return fmt.Sprintf("bake at %s for %s", bakeStage(p).Weight, p.Bake.Duration)
	}
	return "promoted: " + s.Spec.Canary + " takes all traffic"
}

// exposure is whom a step exposes, for people.
func exposure(step *config.Step) string {
	segment := fmt.Sprintf("%s of %s", step.Strength, members(step))
	switch {
	case step.Group() == "":
		return step.Weight.String()
	case step.Weight == 0:
		return segment
	}
	return step.Weight.String() + " and " + segment
}

// members are those whom a step exposes besides its weight, for people.
func members(step *config.Step) string {
	if step.Segment != "" {
		return "segment " + step.Group()
	}
	return "those who opted in to " + step.OptIn
}

// absolutes names the checks that need no comparison, as the beginning of a list; empty without any.
func (s *State) absolutes() string {
	var b strings.Builder
	for i := range s.Verdict.Checks {
		if c := &s.Verdict.Checks[i]; c.Alone && !c.Muted {
			b.WriteString(c.Name + ", ")
		}
	}
	return b.String()
}

// notes are what one has to know besides.
func (s *State) notes(split Split) []string {
	notes := []string{}
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if s.Override != "" {
		add("an operator's override sends all traffic to %s", s.Override)
	}
	switch {
	case s.Phase == PhasePromoted:
		add("%s takes all traffic although the configuration names %s as stable", s.Spec.Canary, s.Spec.Stable)
	case s.Phase.exposing() && !split.compared() && s.Override == "":
		add("nothing is drawn at random on this step, so there is nothing to compare with: %sexposure, time and the budget decide",
			s.absolutes())
	}
	notes = append(notes, slices.Concat(s.stagingNotes(), s.partNotes())...)
	if s.approximate() && s.Phase.exposing() {
		add("few users are on the canary: they vote more than once a minute, and the verdict is approximate")
	}
	if s.Phase.exposing() && !s.current() {
		add("the policy %s was changed: it applies from the next step", s.Spec.PolicyName)
	}
	return notes
}
