package rollout

import (
	"fmt"
	"time"
)

// PartView is a part of the service that is judged apart.
type PartView struct {
	// Name is the part's. It is the requests of Template, or the members of Segment; one of the two is empty.
	Name     string `json:"name"`
	Template string `json:"template,omitempty"`
	Segment  string `json:"segment,omitempty"`
	// Check is the name of its check in the verdict.
	Check string `json:"check"`
	// RolledBack is when it went back to stable, Numbers what its check said then; zero and empty when it did not.
	RolledBack time.Time `json:"rolled_back,omitzero"`
	Numbers    string    `json:"numbers,omitempty"`
}

// partViews are the parts, in the order in which a request is held against them.
func (s *State) partViews() []PartView {
	var list []PartView
	for _, part := range s.Policy.Partial.Parts() {
		v := PartView{Name: part.Name, Template: part.Template, Segment: part.Segment, Check: partCheck(part.Name)}
		for _, gone := range s.Partial.Gone {
			if gone.Name == part.Name {
				v.RolledBack, v.Numbers = gone.At, gone.Numbers
			}
		}
		list = append(list, v)
	}
	return list
}

// partNotes are what one has to know of parts that have gone.
func (s *State) partNotes() []string {
	var notes []string
	for i := range s.Partial.Gone {
		if gone := &s.Partial.Gone[i]; s.Phase.exposing() {
			notes = append(notes, fmt.Sprintf("%s was rolled back at %s: its requests go to %s; the rollout is not promoted by itself",
				gone.Name, gone.At.UTC().Format(time.DateTime), s.Spec.Stable))
		}
	}
	return notes
}
