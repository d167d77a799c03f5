package rollout

import (
	"fmt"
	"slices"
	"strings"

	"haldane/analysis"
	"haldane/config"
)

// staging is what a rollout knows of its way besides its step.
type staging struct {
	// Ramp is where the rollout is on its ramp, if its policy has one.
	Ramp ramp `json:"ramp,omitzero"`
	// Series is what versions of the canary have passed.
	Series series `json:"series,omitzero"`
}

// staged is a step as it runs: with the weight that its ramp has come to, and with less time where it was passed before.
func (s *State) staged(step config.Step) config.Step {
	if s.Policy.Ramp != nil {
		step.Weight = s.Staging.Ramp.Weight
	}
	if s.Staging.Series.Short {
		step = shortened(step, &s.Policy, s.Step == 0)
	}
	return step
}

// comeTo notes what a step that was just entered begins with.
func (c *change) comeTo() {
	c.s.Staging.Ramp = ramp{}
	if r := c.s.Policy.Ramp; r != nil {
		c.s.Staging.Ramp.Weight = min(max(r.From, c.before.Weight), r.To)
	}
	c.s.Staging.Series.Short = false // the step itself, not what it was cut to
	step := c.s.stage()
	c.s.Staging.Series.Short = shareOf(&c.s.Policy) < config.Whole && c.s.Staging.Series.covers(&step)
}

// nextStep is the index of the step that comes after the running one, under the policy that applies from there; false when
// there is none. A ramp in the place of steps begins where they are, and steps in the place of a ramp go on from its weight.
func (s *State) nextStep() (int, bool) {
	next := &s.Spec.Policy
	switch {
	case next.Ramp != nil && s.Policy.Ramp == nil:
		return 0, true
	case next.Ramp == nil && s.Policy.Ramp != nil:
		weight := s.stage().Weight
		i := slices.IndexFunc(next.Steps, func(step config.Step) bool { return step.Weight > weight })
		if i < 0 && s.climbing() {
			i = len(next.Steps) - 1 // a ramp that is not at its end does not lead to the bake
		}
		return i, i >= 0
	}
	return s.Step + 1, s.Step+1 < len(next.Steps)
}

// written is the name of a check in the policy, which one with a maximum, one of each direction, and one of each part is called after.
func written(check string) string {
	check, _, _ = strings.Cut(check, inPart)
	for _, suffix := range [...]string{suffixMax, suffixUp, suffixDown} {
		check = strings.TrimSuffix(check, suffix)
	}
	return check
}

// counts says whether a check, with its maximum, counts on a step: all do where the step names none.
func counts(step *config.Step, check string) bool {
	return len(step.Checks) == 0 || slices.Contains(step.Checks, written(check))
}

// failed is the first critical check that has failed and counts on the step; nil for none.
func failed(step *config.Step, v *analysis.Verdict) *analysis.CheckVerdict {
	i := slices.IndexFunc(v.Checks, func(c analysis.CheckVerdict) bool {
		return c.Class == analysis.Fail && c.Critical && counts(step, c.Name)
	})
	if i < 0 {
		return nil
	}
	return &v.Checks[i]
}

// failing says whether the verdict is a fail by a check that counts on the running stage.
func (s *State) failing(v *analysis.Verdict) bool {
	if v.Class != analysis.Fail {
		return false
	}
	stage := s.stage()
	return len(stage.Checks) == 0 || failed(&stage, v) != nil
}

// doomed says whether the next stage would fail at once, by a check that has failed already and does not count on this one: what
// is known must not raise a weight first.
func (s *State) doomed() bool {
	if s.Verdict.Class != analysis.Fail || s.Bake {
		return false
	}
	next := config.Step{} // the bake, on which every check counts
	if i, more := s.nextStep(); more {
		next = s.Spec.Policy.Steps[i]
	}
	return len(next.Checks) == 0 || failed(&next, &s.Verdict) != nil
}

// stagingNotes are what one has to know of the stage.
func (s *State) stagingNotes() []string {
	var notes []string
	if !s.Phase.exposing() {
		return nil
	}
	stage := s.stage()
	if len(stage.Checks) > 0 {
		notes = append(notes, fmt.Sprintf("on this step %s and the budget count", strings.Join(stage.Checks, ", ")))
	}
	if s.Staging.Series.Short && !s.Bake {
		notes = append(notes, fmt.Sprintf("this step has %s of its time and requests (at least what its checks need): an earlier version of the canary has passed it",
			shareOf(&s.Policy)))
	}
	return notes
}
