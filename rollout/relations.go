package rollout

// ReleaseView is what is released as one, as a member sees it.
type ReleaseView struct {
	// Name is the release's.
	Name string `json:"name"`
	// Members are all of it that have a rollout, this one included, sorted by service.
	Members []Relative `json:"members"`
}

// Relative is another rollout that one has to do with.
type Relative struct {
	// Service is whose it is.
	Service string `json:"service"`
	// Phase is where it is, with Pause and Hold as in its own view.
	Phase Phase `json:"phase"`
	Pause Pause `json:"pause,omitempty"`
	Hold  Hold  `json:"hold,omitempty"`
	// Step counts from 0 to Steps-1.
	Step  int `json:"step"`
	Steps int `json:"steps"`
	// Done says that a member of a release is done with the step, or pending and ready to begin.
	Done bool `json:"done,omitempty"`
	// Together says that a member began with this rollout, so that they end together.
	Together bool `json:"together,omitempty"`
	// Met says that a rollout that comes before is done with. Text says what is missing, for people; empty when it is.
	Met  bool   `json:"met,omitempty"`
	Text string `json:"text,omitempty"`
}

// relative is a rollout as others see it.
func (s *State) relative() Relative {
	return Relative{
		Service: s.Spec.Service, Phase: s.Phase, Pause: s.Pause, Hold: s.Hold,
		Step: min(s.Step, len(s.Policy.Steps)-1), Steps: len(s.Policy.Steps), Done: s.Unit.Done,
	}
}

// relate adds to a view what the rollout has to do with others.
func (v *View) relate(s *State, o *others) {
	for _, d := range o.before {
		r := d.relative()
		w, missing := d.awaited()
		r.Met, r.Text = !missing, w.Text
		v.After = append(v.After, r)
	}
	if s.Spec.Release == "" {
		return
	}
	v.Release = &ReleaseView{Name: s.Spec.Release}
	own := false
	add := func(m *State) {
		r := m.relative()
		r.Together = bonded(s, m)
		v.Release.Members = append(v.Release.Members, r)
	}
	for _, mate := range o.mates { // sorted
		if !own && mate.Spec.Service > s.Spec.Service {
			add(s)
			own = true
		}
		add(mate)
	}
	if !own {
		add(s)
	}
}
