package router

import (
	"bytes"

	"haldane/config"
)

// MaxParts is the number of parts of a service that are told apart.
const MaxParts = config.MaxParts

// Parts is a set of parts of a service; the lowest bit is the part of number 1. The zero value is none.
type Parts uint8

// has says whether the part of that number, from 1, is in the set; 0 is in none.
func (p Parts) has(number uint8) bool { return number > 0 && p&(1<<(number-1)) != 0 }

// part is one part of a service: a template or a segment.
type part struct {
	template []token
	open     bool // whether the template goes on with anything
	segment  *Segment
}

// token is one segment of a template: a text, or nil for any that is not empty.
type token []byte

// newParts compiles the parts of a service, in the order in which a request is held against them. A segment that is not there any
// more has no members.
func newParts(list []config.Part, segments map[string]*Segment) []part {
	compiled := make([]part, 0, len(list))
	for _, p := range list {
		one := part{segment: segments[p.Segment]}
		if p.Template != "" {
			texts, open := config.SplitTemplate(p.Template)
			one.template, one.open = make([]token, len(texts)), open
			for i, text := range texts {
				if !config.AnySegment(text) {
					one.template[i] = token(text)
				}
			}
		}
		compiled = append(compiled, one)
	}
	return compiled
}

// part is the number of the part that a request belongs to, from 1; 0 for none.
func (s *Split) part(a ask) uint8 {
	if len(s.parts) == 0 {
		return 0
	}
	path := a.Path()
	for i := range s.parts {
		switch p := &s.parts[i]; {
		case p.template != nil:
			if p.matches(path) {
				return uint8(i + 1)
			}
		case p.segment != nil && p.segment.holds(a):
			return uint8(i + 1)
		}
	}
	return 0
}

// matches holds a path against the template.
func (p *part) matches(path []byte) bool {
	if len(path) == 0 || path[0] != '/' {
		return false
	}
	rest, more := path[1:], true // what is behind a slash, if there was one
	for _, want := range p.template {
		if !more {
			return false
		}
		segment := rest
		end := bytes.IndexByte(rest, '/')
		if more = end >= 0; more {
			segment, rest = rest[:end], rest[end+1:]
		}
		if want == nil && len(segment) == 0 || want != nil && !bytes.Equal(want, segment) {
			return false
		}
	}
	return p.open || !more
}
