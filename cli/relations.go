package cli

import (
	"fmt"
	"strings"

	"haldane/rollout"
)

// relations are the lines about the services that a rollout has to do with.
func relations(v rollout.View) [][2]string {
	var lines [][2]string
	for _, r := range v.After {
		text := r.Service + " is " + place(&r)
		if r.Met {
			text = r.Service + ", which is " + r.Phase.String()
		}
		lines = append(lines, [2]string{"after", text})
	}
	if v.Release == nil {
		return lines
	}
	label := "release " + v.Release.Name
	for _, r := range v.Release.Members {
		text := r.Service + " is " + place(&r)
		switch {
		case r.Done:
			text += ", ready"
		case !r.Together && r.Service != v.Service:
			text += ", not released with this one"
		}
		lines = append(lines, [2]string{label, text})
	}
	return lines
}

// place is where another rollout is.
func place(r *rollout.Relative) string {
	text := r.Phase.String()
	switch {
	case r.Pause != "":
		text += fmt.Sprintf(" (%s)", r.Pause)
	case r.Hold != "":
		text += fmt.Sprintf(" (held: %s)", r.Hold)
	}
	if r.Phase == rollout.PhaseProgressing || r.Phase == rollout.PhasePaused {
		text += fmt.Sprintf(", step %d of %d", r.Step+1, r.Steps)
	}
	return text
}

// likewise names the services that an order was carried out on as well, as a line; empty without any.
func likewise(v rollout.View) string {
	if v.Release == nil {
		return ""
	}
	var names []string
	for _, r := range v.Release.Members {
		if r.Together && r.Service != v.Service && r.Phase == v.Phase {
			names = append(names, r.Service)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("the release %s: likewise %s\n", v.Release.Name, strings.Join(names, ", "))
}
