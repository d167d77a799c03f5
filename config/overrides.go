package config

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// overridden follows the name of a policy that a service has laid keys over.
const overridden = " (overridden)"

// Release is the policy that a release of a service follows: the one that the service names with what it lays over it, or, when
// the canary's revision differs from stable's in the patch number alone, the one for patches. The policy has at least one step:
// a ramp stands in it as one. name is for people. It is the zero value for a service that does not exist.
func (c *Config) Release(service string) (policy Policy, name string) {
	s, ok := c.Services[service]
	if !ok {
		return Policy{}, ""
	}
	name, over := s.Policy, s.PolicyOverrides
	if patch := c.patchPolicy(&s); patch != "" && s.isPatch() {
		name, over = patch, s.PatchOverrides
	}
	policy = c.Policies[name]
	if over != nil {
		policy, name = *over, name+overridden
	}
	return policy.Steady(), name
}

// isPatch says whether the canary's version is stable's but for the patch number.
func (s *Service) isPatch() bool {
	return s.Canary != "" && patchOf(s.Variants[s.Stable].Revision, s.Variants[s.Canary].Revision)
}

// patchPolicy names the policy for patches: the service's own, else that of its policy; empty for none.
func (c *Config) patchPolicy(s *Service) string {
	switch {
	case s.Patch != "":
		return s.Patch
	case s.PolicyOverrides != nil:
		return s.PolicyOverrides.Patch
	}
	return c.Policies[s.Policy].Patch
}

// late is a node that can only be decoded when everything else has been.
type late struct {
	node *yaml.Node
	at   place
}

// postpone keeps overrides until the policies that they are laid over are complete. They are the only pointer to a policy.
func (d *decoder) postpone(n *yaml.Node, p place, out reflect.Value) bool {
	if out.Type() != reflect.TypeFor[*Policy]() {
		return false
	}
	d.late[p.here] = late{n, p}
	return true
}

// override lays the overrides of the services over their policies.
func (d *decoder) override(c *Config, top place) {
	d.merging = true
	for _, name := range names(c.Services) {
		over, ok := d.late[top.key("services").key(name).key("policy_overrides").here]
		if !ok {
			continue
		}
		s := c.Services[name]
		s.PolicyOverrides = d.lay(over, c.Policies[s.Policy])
		s.Overridden = d.keysOf(over.at)
		over.at.here.inherit(top.key("policies").key(s.Policy).here)
		s.PolicyOverrides.complete(over.at)
		if patch := c.patchPolicy(&s); patch != "" {
			s.PatchOverrides = d.patched(&s, c.Policies[patch])
		}
		c.Services[name] = s
	}
}

// keysOf are the keys of a policy that are written at a place.
func (d *decoder) keysOf(at place) []string {
	var list []string
	for _, f := range d.shape(reflect.TypeFor[Policy]()) {
		if at.key(f.key).written() {
			list = append(list, f.key)
		}
	}
	return list
}

// patched is a policy for patches with the sections that a service has laid something over. How it goes, and how it ends, are
// its own: they are what makes it another one.
func (d *decoder) patched(s *Service, p Policy) *Policy {
	for _, f := range d.shape(reflect.TypeFor[Policy]()) {
		switch f.key {
		case "steps", "ramp", "bake", "patch":
			continue
		}
		if slices.Contains(s.Overridden, f.key) {
			reflect.ValueOf(&p).Elem().FieldByIndex(f.at).Set(reflect.ValueOf(s.PolicyOverrides).Elem().FieldByIndex(f.at))
		}
	}
	return &p
}

// lay decodes overrides over a policy. Steps and a ramp take each other's place.
func (d *decoder) lay(over late, p Policy) *Policy {
	p.Steps = append([]Step(nil), p.Steps...)
	d.shaped(over.node, over.at, reflect.ValueOf(&p).Elem())
	steps, ramp := over.at.key("steps").written(), over.at.key("ramp").written()
	switch {
	case ramp && !steps:
		p.Steps = nil
	case steps && !ramp:
		p.Ramp = nil
	}
	return &p
}

// inherit makes what was written inside of another value count as written inside of this one, but for the items of a list that
// has another one here.
func (s *spot) inherit(from *spot) {
	if from == nil || from.inside == nil {
		return
	}
	for _, in := range from.inside.list {
		switch own := s.find(in.step); {
		case in.step.item > 0: // of a list that is here as well
		case own != nil:
			own.inherit(in)
		default:
			s.graft(in)
		}
	}
}

// graft copies a value with all that is inside of it.
func (s *spot) graft(from *spot) {
	fresh := &spot{up: s, step: from.step, at: from.at}
	s.add(fresh)
	if from.inside != nil {
		for _, in := range from.inside.list {
			fresh.graft(in)
		}
	}
}

// previous is what an entry of a map begins with: what it was, when something is laid over it, and otherwise its defaults.
func (d *decoder) previous(entries reflect.Value, name string) reflect.Value {
	fresh := reflect.New(entries.Type().Elem())
	if d.merging && entries.Len() > 0 {
		if old := entries.MapIndex(reflect.ValueOf(name)); old.IsValid() {
			fresh.Elem().Set(old)
			return fresh
		}
	}
	makeDefault(fresh)
	if section, ok := fresh.Interface().(named); ok {
		section.setNamed(name)
	}
	return fresh
}

// keep is a map of its own for the entries that are decoded next. What is laid over a map keeps its other entries, unless it
// is empty: then it means none.
func (d *decoder) keep(entries reflect.Value, more int) reflect.Value {
	kept := reflect.MakeMapWithSize(entries.Type(), more)
	if d.merging && more > 0 {
		for _, key := range entries.MapKeys() {
			kept.SetMapIndex(key, entries.MapIndex(key))
		}
	}
	return kept
}
