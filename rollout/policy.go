package rollout

import (
	"slices"

	"haldane/config"
)

// samePolicy says whether two policies are the same, step by step. Windows, freezes and hooks are not compared: they hold at once.
func samePolicy(a, b *config.Policy) bool {
	return slices.EqualFunc(a.Steps, b.Steps, sameStep) && sameChecks(&a.Checks, &b.Checks) && a.Budget == b.Budget && a.Bake == b.Bake &&
		a.OnFailure == b.OnFailure && a.CoolDown == b.CoolDown && a.Retries == b.Retries && a.Alpha == b.Alpha && a.Beta == b.Beta &&
		sameRamp(a.Ramp, b.Ramp) && shareOf(a) == shareOf(b) && a.Patch == b.Patch && samePartial(a.Partial, b.Partial)
}

func sameStep(a, b config.Step) bool {
	return a.Name == b.Name && a.Weight == b.Weight && a.Segment == b.Segment && a.Strength == b.Strength &&
		a.Duration == b.Duration && a.MaxDuration == b.MaxDuration && a.MinRequests == b.MinRequests &&
		a.AdvanceWhen == b.AdvanceWhen && a.Approval == b.Approval && a.Stage == b.Stage && a.OptIn == b.OptIn &&
		slices.Equal(a.Checks, b.Checks) && slices.Equal(a.Checklist, b.Checklist)
}

func sameRamp(a, b *config.Ramp) bool { return a == b || a != nil && b != nil && *a == *b }

// stageName is the running step or bake, for people.
func (s *State) stageName() string {
	stage := s.stage()
	return stepName(&stage)
}

// stepName is a step for people.
func stepName(step *config.Step) string {
	switch {
	case step.Name != "":
		return step.Name
	case step.Group() != "" && step.Weight == 0:
		return step.Group()
	}
	return step.Weight.String()
}
