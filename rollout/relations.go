package rollout

import (
	"slices"
	"strings"

	"haldane/report"
)

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

// relations are the services that a rollout has to do with, for its report.
func (s *State) relations() report.Relations {
	r := report.Relations{Release: s.Spec.Release, After: s.Spec.After}
	for _, b := range s.Unit.Bonds {
		r.Members = append(r.Members, b.Service)
	}
	return r
}

// neverBegan says what a rollout waited for that ends without a first step; empty for any other.
func neverBegan(s *State, events []Event) string {
	if !s.Started.IsZero() {
		return ""
	}
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Kind == EventWaiting {
			return "; it never began, it " + strings.Replace(events[i].Reason, "waits", "waited", 1)
		}
	}
	return ""
}

// heldBack are the services that wait for a rollout that ends without being promoted.
func (m *Manager) heldBack(s *State) []string {
	if s.Phase == PhasePromoted {
		return nil
	}
	var list []string
	for _, r := range m.sorted() {
		waits := slices.ContainsFunc(r.state.Unit.Waits, func(w wait) bool { return w.Service == s.Spec.Service })
		if r.awake() && r.state.Phase == PhasePending && waits {
			list = append(list, r.name)
		}
	}
	return list
}
