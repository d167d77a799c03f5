package config

import (
	"slices"
	"strings"
)

// partial checks the parts of a policy.
func (v *validator) partial(p *Partial, at, top place) {
	if p == nil {
		return
	}
	switch n := len(p.Templates) + len(p.Segments); {
	case n == 0:
		v.problems.wrong(at, "expected at least one of templates and segments")
	case n > MaxParts:
		v.problems.wrong(at, "expected at most %d parts, got %d", MaxParts, n)
	}
	v.oneOf(at.key("on_failure"), p.OnFailure, PartAll, PartAlone)
	seen := map[string]string{}
	for _, name := range names(p.Templates) {
		in, template := at.key("templates").key(name), p.Templates[name]
		v.name(in, "part", name)
		if problem := templateProblem(template); problem != "" {
			v.problems.wrong(in, "%s, got %q", problem, template)
			continue
		}
		if other, taken := seen[pathsOf(template)]; taken {
			v.problems.wrong(in, "the part %q has the same template", other)
		}
		seen[pathsOf(template)] = name
	}
	for i, name := range p.Segments {
		in := at.key("segments").item(i)
		v.reference(in, name, "segment", top.key("segments"), names(v.c.Segments))
		if _, taken := p.Templates[name]; taken || slices.Contains(p.Segments[:i], name) {
			v.problems.wrong(in, "another part is called %q", name)
		}
	}
}

// templateProblem says what is expected of a template that is none; empty for a good one.
func templateProblem(template string) string {
	if !strings.HasPrefix(template, "/") {
		return `expected a path that begins with "/"`
	}
	if strings.ContainsAny(template, "?# ") {
		return "expected a path without a query, a fragment and spaces"
	}
	segments, _ := SplitTemplate(template)
	for i, segment := range segments {
		switch {
		case segment == "" && len(segments) > 1:
			return "expected no empty segment"
		case AnySegment(segment) && !strings.ContainsAny(segment[1:len(segment)-1], "{}*"):
		case strings.ContainsAny(segment, "{}*"):
			return `expected "{x}" as a whole segment, and "*" as the last one, at segment ` + ordinal(i)
		}
	}
	return ""
}

// ordinal is the number of a place for people.
func ordinal(i int) string { return string(rune('1' + min(i, 8))) }
