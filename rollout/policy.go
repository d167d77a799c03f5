package rollout

import (
	"slices"

	"haldane/config"
)

// samePolicy says whether two policies are the same, step by step.
func samePolicy(a, b *config.Policy) bool {
	return slices.Equal(a.Steps, b.Steps) && sameChecks(&a.Checks, &b.Checks) && a.Budget == b.Budget && a.Bake == b.Bake &&
		a.OnFailure == b.OnFailure && a.CoolDown == b.CoolDown && a.Retries == b.Retries && a.Alpha == b.Alpha && a.Beta == b.Beta
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
