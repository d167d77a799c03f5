package rollout

import "haldane/config"

// StageSketch is one stage of the way of a rollout, as the policy in force has it.
type StageSketch struct {
	// Name is the step's, by default its weight or segment, or "bake". Stage is the named stage that it belongs to.
	Name  string `json:"name"`
	Stage string `json:"stage,omitempty"`
	// Weight is its share of randomised traffic. Segment and those who opted in at OptIn are exposed as well, by Strength.
	Weight   config.Percent `json:"weight"`
	Segment  string         `json:"segment,omitempty"`
	OptIn    string         `json:"opt_in,omitempty"`
	Strength config.Percent `json:"strength,omitempty"`
	// Duration is its least time, MinRequests its least number of compared canary requests.
	Duration    config.Duration `json:"duration"`
	MinRequests int             `json:"min_requests"`
	// AdvanceWhen is the judge's condition, Approval says whether a person's is needed too.
	AdvanceWhen string `json:"advance_when"`
	Approval    bool   `json:"approval"`
	// Bake says that it is the last watch before the end.
	Bake bool `json:"bake,omitempty"`
}

// sketches are all stages of the policy in force, the bake last. A ramp is one stage.
func (s *State) sketches() []StageSketch {
	list := make([]StageSketch, 0, len(s.Policy.Steps)+1)
	for i := range s.Policy.Steps {
		list = append(list, sketch(&s.Policy.Steps[i]))
	}
	if s.Policy.Bake.Duration > 0 {
		bake := bakeStage(&s.Policy)
		last := sketch(&bake)
		last.Bake = true
		list = append(list, last)
	}
	return list
}

func sketch(step *config.Step) StageSketch {
	one := StageSketch{
		Name: stepName(step), Stage: step.Stage, Weight: step.Weight, Segment: step.Segment, OptIn: step.OptIn,
		Duration: step.Duration, MinRequests: step.MinRequests, AdvanceWhen: step.AdvanceWhen, Approval: step.Approval,
	}
	if step.Group() != "" {
		one.Strength = step.Strength
	}
	return one
}
