package rollout

import (
	"slices"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// samePolicy says whether two policies are the same, step by step.
func samePolicy(a, b *config.Policy) bool {
	return slices.Equal(a.Steps, b.Steps) && a.Checks == b.Checks && a.Budget == b.Budget && a.Bake == b.Bake &&
		a.OnFailure == b.OnFailure && a.Alpha == b.Alpha && a.Beta == b.Beta
}

// settings is what the policy asks of the judge.
func settings(p *config.Policy) analysis.Settings {
	errors := p.Checks.Errors
	return analysis.Settings{
		Alpha: p.Alpha.Ratio(),
		Beta:  p.Beta.Ratio(),
		Checks: []analysis.Check{{
			Name:        "errors",
			Relative:    errors.Relative.Ratio(),
			Absolute:    errors.Absolute.Ratio(),
			Critical:    true,
			MinRequests: uint64(max(1, errors.MinRequests)),
			Window:      time.Duration(errors.Window),
			Windows:     errors.Windows,
		}},
	}
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

// sameSettings says whether two judges would judge alike.
func sameSettings(a, b *analysis.Settings) bool {
	return a.Alpha == b.Alpha && a.Beta == b.Beta && slices.Equal(a.Checks, b.Checks)
}
