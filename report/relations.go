package report

import "strings"

// Relations are the services that a rollout had to do with.
type Relations struct {
	// Release is the name of what it was a part of, and Members are the services that began together, this one included; empty
	// for a rollout alone.
	Release string   `json:"release,omitempty"`
	Members []string `json:"members,omitempty"`
	// After are the services whose rollouts came before it.
	After []string `json:"after,omitempty"`
	// HeldBack are the services that had not begun, and may not, because this one was not promoted.
	HeldBack []string `json:"held_back,omitempty"`
}

// facts are the lines about them.
func (r *Relations) facts() [][2]string {
	release := r.Release
	if len(r.Members) > 0 {
		release += ": " + strings.Join(r.Members, ", ")
	}
	return [][2]string{
		{"Released with", release},
		{"Came after", strings.Join(r.After, ", ")},
		{"Held back by it", strings.Join(r.HeldBack, ", ")},
	}
}
