package rollout

import (
	"slices"

	"haldane/config"
)

// samePolicy says whether two policies are the same, step by step. Windows, freezes and hooks are not compared: they hold at once.
func samePolicy(a, b *config.Policy) bool {
	return slices.EqualFunc(a.Steps, b.Steps, sameStep) && sameChecks(&a.Checks, &b.Checks) && a.Budget == b.Budget && a.Bake == b.Bake &&
		a.OnFailure == b.OnFailure && a.Alpha == b.Alpha && a.Beta == b.Beta
}

// sameStep compares two steps.
func sameStep(a, b config.Step) bool {
	return a.Name == b.Name && a.Weight == b.Weight && a.Segment == b.Segment && a.Strength == b.Strength &&
		a.Duration == b.Duration && a.MaxDuration == b.MaxDuration && a.MinRequests == b.MinRequests &&
		a.AdvanceWhen == b.AdvanceWhen && a.Approval == b.Approval && slices.Equal(a.Checklist, b.Checklist)
}

// stageName is the running step or bake, for people.
func (s *State) stageName() string {
	stage := s.stage()
	switch {
	case stage.Name != "":
		return stage.Name
	case stage.Segment != "" && stage.Weight == 0:
		return stage.Segment
	}
	return stage.Weight.String()
}
