package config

import (
	"fmt"
	"slices"
	"strings"
)

// units checks what services have to do with each other: releases that are made together, and those that wait for others.
func (v *validator) units(services place) {
	shapes := make(map[string]shape)
	for _, name := range names(v.c.Services) {
		s, at := v.c.Services[name], services.key(name)
		for i, before := range s.After {
			v.before(before, at.key("after").item(i), afterRule{name, s.After[:i], services})
		}
		if s.Release == "" {
			continue
		}
		v.name(at.key("release"), "release", s.Release)
		if s.Canary != "" {
			v.sameShape(name, &s, at.key("release"), shapes)
		}
	}
	v.circles(services)
}

// afterRule is what a service is held against that another one waits for.
type afterRule struct {
	service  string
	earlier  []string
	services place
}

func (v *validator) before(name string, at place, rule afterRule) {
	switch {
	case name == rule.service:
		v.problems.wrong(at, "a service cannot wait for its own rollout")
	case slices.Contains(rule.earlier, name):
		v.problems.wrong(at, "service %q is named twice", name)
	default:
		v.serviceName(at, name, rule.services)
	}
}

// shape is what the members of a release must have in common.
type shape struct {
	service, policy string
	steps           int
	bake            bool
}

func (v *validator) sameShape(name string, s *Service, at place, first map[string]shape) {
	if _, known := v.c.Policies[s.Policy]; !known {
		return // which is reported already
	}
	policy, label := v.c.Release(name)
	if alone := ownWay(&policy); alone != "" {
		v.problems.wrong(at, "what is released together takes its steps together: the policy %s of %s has %s", label, name, alone)
	}
	own := shape{name, label, len(policy.Steps), policy.Bake.Duration > 0}
	other, there := first[s.Release]
	switch {
	case !there:
		first[s.Release] = own
	case own.steps != other.steps:
		v.problems.wrong(at, "what is released together takes the same number of steps: %s has %d (policy %s), %s has %d (policy %s)",
			other.service, other.steps, other.policy, own.service, own.steps, own.policy)
	case own.bake != other.bake:
		v.problems.wrong(at, "what is released together all bakes or does not: the policies %s of %s and %s of %s differ in it",
			other.policy, other.service, own.policy, own.service)
	}
}

// ownWay is what a policy has that would lead one member of a release to another place than the others; empty for nothing.
func ownWay(p *Policy) string {
	switch {
	case p.Ramp != nil:
		return "a ramp"
	case p.OnFailure == FailureStepBack:
		return "on_failure: " + FailureStepBack
	case p.Retries > 0:
		return "retries"
	case slices.ContainsFunc(p.Steps, func(s Step) bool { return len(s.Checklist) > 0 }):
		return "a checklist"
	case p.RestartFactor > 0 && p.RestartFactor < Whole:
		return "a restart_factor"
	}
	return ""
}

// circles reports services that wait for each other. To wait for one member of a release is to wait for all.
func (v *validator) circles(services place) {
	all := names(v.c.Services)
	w := walk{services: v.c.Services, members: make(map[string][]string, len(all)), done: make(map[string]bool, len(all))}
	for _, name := range all {
		w.members[w.unit(name)] = append(w.members[w.unit(name)], name)
	}
	for _, name := range all {
		if circle := w.visit(w.unit(name)); circle != nil {
			in := services.key(circle[len(circle)-1].from).key("after")
			v.problems.wrong(in, "services wait for each other: %s", w.words(circle))
			return // others may be the same one from another side
		}
	}
}

// walk follows who waits for whom, depth first, from unit to unit: from release to release, or service that is in none.
type walk struct {
	services map[string]Service
	members  map[string][]string // the services of each unit, sorted
	done     map[string]bool     // by unit: leads to no circle
	path     []wait
	open     []string // the units that path leaves
}

// wait is a service that waits for another one.
type wait struct{ from, to string }

// unit is what a service is released with: itself, or a release. No name of a service has a space.
func (w *walk) unit(name string) string {
	if release := w.services[name].Release; release != "" {
		return "release " + release
	}
	return name
}

// visit is the first circle that can be reached from a unit; nil without one.
func (w *walk) visit(unit string) []wait {
	if i := slices.Index(w.open, unit); i >= 0 {
		return w.path[i:]
	}
	if w.done[unit] {
		return nil
	}
	w.open = append(w.open, unit)
	for _, name := range w.members[unit] {
		for _, to := range w.services[name].After {
			if _, known := w.services[to]; !known || to == name {
				continue // which is reported already
			}
			w.path = append(w.path, wait{name, to})
			if circle := w.visit(w.unit(to)); circle != nil {
				return circle
			}
			w.path = w.path[:len(w.path)-1]
		}
	}
	w.open = w.open[:len(w.open)-1]
	w.done[unit] = true
	return nil
}

// words is the circle as a sentence: "a after b, b with c (release core), c after a".
func (w *walk) words(circle []wait) string {
	var parts []string
	for i, step := range circle {
		parts = append(parts, step.from+" after "+step.to)
		if next := circle[(i+1)%len(circle)].from; next != step.to {
			parts = append(parts, fmt.Sprintf("%s with %s (%s)", step.to, next, w.unit(next)))
		}
	}
	return strings.Join(parts, ", ")
}
