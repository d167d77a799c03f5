package rollout

import (
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// stateVersion is the version of the format of State. A stored state of another version is not read.
const stateVersion = 2

// State is everything that is known of one rollout but its evidence, which is the judge's. It is a value: the functions
// of the core take one and return another, and never change what the one they took points to. It may be stored as JSON.
type State struct {
	// Version is the version of the format.
	Version int `json:"version"`
	// ID is the identity; Attempt counts from 1 and grows with each retry.
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	// Spec is what the configuration asks for now. Its policy applies from the next step.
	Spec Spec `json:"spec"`
	// Policy is the one in force, PolicyName its name.
	Policy     config.Policy `json:"policy"`
	PolicyName string        `json:"policy_name"`

	// Phase is where the rollout is. Pause and PauseText say why a paused one waits.
	Phase     Phase  `json:"phase"`
	Pause     Pause  `json:"pause,omitempty"`
	PauseText string `json:"pause_text,omitempty"`
	// Hold and HoldText say why the clock stands still. StoreRetry is when a HoldStore is tried again.
	Hold       Hold      `json:"hold,omitempty"`
	HoldText   string    `json:"hold_text,omitempty"`
	StoreRetry time.Time `json:"store_retry,omitzero"`

	// Step is the index of the step, and of the last one when Bake says that the stage is (or was) the bake.
	Step int  `json:"step"`
	Bake bool `json:"bake,omitempty"`
	// Clock is the time on this step (or in the bake) that counts, Deadline the time at which a person is asked.
	Clock    time.Duration `json:"clock"`
	Deadline time.Duration `json:"deadline"`
	// Ticked is when the clock was looked at last.
	Ticked time.Time `json:"ticked"`
	// Created, Started, Entered and Ended are when the rollout was first seen, began, came to its step, and was decided.
	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"`
	Entered time.Time `json:"entered,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Awake is when observations began or began again: silence is counted from here.
	Awake time.Time `json:"awake,omitzero"`

	// LastCanary and LastJudged are when a canary request, and one that may be compared, were seen.
	LastCanary time.Time `json:"last_canary,omitzero"`
	LastJudged time.Time `json:"last_judged,omitzero"`
	// StepRequests, StepFailed and StepJudged count the canary requests of this step: all, failed, compared.
	StepRequests uint64 `json:"step_requests"`
	StepFailed   uint64 `json:"step_failed"`
	StepJudged   uint64 `json:"step_judged"`
	// Pace is how fast requests come that are compared, on this stage. Informed says that, on a stage that decides, enough
	// was known of the canary; see enough.go.
	Pace     pace `json:"pace"`
	Informed bool `json:"informed,omitempty"`
	// Recent is stable's last seconds.
	Recent recent `json:"recent"`
	// Users is how many users voted on the canary in this step; zero when requests are drawn without a user key.
	Users int `json:"users"`

	// CanaryTotal and StableTotal are all requests of this attempt while users were on the canary.
	CanaryTotal Seen `json:"canary_total"`
	StableTotal Seen `json:"stable_total"`

	// Manual is a weight set by an operator; nil for the step's own.
	Manual *config.Percent `json:"manual,omitempty"`
	// Override names the variant that takes every request; empty for none.
	Override string `json:"override,omitempty"`
	// Revision counts the splits of the service.
	Revision uint64 `json:"revision"`
	// Spent is the number of failed canary requests of this attempt.
	Spent uint64 `json:"spent"`

	// Verdict is the judge's last word, Reason why the rollout is where it is.
	Verdict analysis.Verdict `json:"verdict"`
	Reason  string           `json:"reason,omitempty"`
	// History is what happened, oldest first, and Sequence the number of its last event.
	History  []Event `json:"history"`
	Sequence uint64  `json:"sequence"`

	// Staging is where the ramp is, and what earlier versions of the canary have passed.
	Staging staging `json:"staging,omitzero"`
	// Setbacks are what went wrong so far; see setbacks.go.
	Setbacks Setbacks `json:"setbacks,omitzero"`
	// Unit is what the rollout has to do with others.
	Unit unit `json:"unit,omitzero"`
	// Gates is what is known of the gates of a stage; Visits is how often the rollout went back to one.
	Gates  gates `json:"gates,omitzero"`
	Visits int   `json:"visits,omitempty"`
	// Posts is what was posted of business metrics.
	Posts Posts `json:"posts,omitzero"`
	// Partial is what is known of the parts of the service.
	Partial partial `json:"partial,omitzero"`
}

// Observation is what was seen since the last one.
type Observation struct {
	// Verdict is the judge's, with everything that is seen here.
	Verdict analysis.Verdict
	// Canary and Stable are all requests of the two variants that have ended.
	Canary Seen
	Stable Seen
	// Judged is the canary's requests that may be compared with the stable's, Reference the stable's.
	Judged    uint64
	Reference uint64
	// Spent is the number of failed canary requests of this attempt so far.
	Spent uint64
	// Users is how many users voted on the canary in this step; zero when requests are drawn without a user key.
	Users int
	// Losses are what this attempt has cost so far besides failed requests.
	Losses stats.Losses
	// Others is what is to be known of other rollouts; zero for a rollout that has to do with none.
	Others others
}

// Seen counts requests.
type Seen struct {
	// Requests is how many ended, Failed how many of them failed.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
}

// birth is what a rollout inherits from the ones before it in the same service.
type birth struct {
	// revision is that of the last split.
	revision uint64
	// attempt is the number of the first attempt: an id that was seen before draws its users afresh.
	attempt int
	// override names the variant that takes every request by an order from before; empty for none.
	override string
	// series is what earlier versions of the canary have passed.
	series series
}

// newState returns the pending rollout of a spec.
func newState(spec Spec, now time.Time, b birth) State {
	return State{
		Version: stateVersion, ID: spec.ID(), Attempt: max(1, b.attempt), Spec: spec,
		Policy: spec.Policy, PolicyName: spec.PolicyName,
		Phase: PhasePending, Created: now, Ticked: now, Revision: b.revision, Override: b.override,
		Staging: staging{Series: b.series},
	}
}

// stage is the running step's definition. The bake is a stage like a step.
func (s *State) stage() config.Step {
	if s.Bake {
		return bakeStage(&s.Policy)
	}
	return s.staged(s.Policy.Steps[min(s.Step, len(s.Policy.Steps)-1)])
}

// bakePatience is how long a bake may be undecided, at least, before a person is asked.
const bakePatience = 30 * time.Minute

// bakeStage is the bake as a stage. The segment of the last step stays exposed, at least as much as everybody else: nobody
// goes back to the stable variant because the release goes well.
func bakeStage(p *config.Policy) config.Step {
	last := p.Steps[len(p.Steps)-1]
	weight := config.Whole - min(p.Bake.Holdback, config.Whole)
	return config.Step{
		Name: "bake", Weight: weight, Segment: last.Segment, OptIn: last.OptIn, Strength: max(last.Strength, weight),
		Duration:    p.Bake.Duration,
		MaxDuration: max(config.Duration(bakePatience), 2*p.Bake.Duration),
		MinRequests: last.MinRequests, AdvanceWhen: config.AdvanceNoRegression,
	}
}

// approximate says that so few users vote that what they are like by chance weighs, and that a dead canary may be judged by
// votes that are not independent (stats.Poll). The verdict promises less then.
func (s *State) approximate() bool { return s.Users > 0 && s.Users < stats.FewUsers }
