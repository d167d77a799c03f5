package config

import (
	"strconv"
)

// position is where something stands in the file, counted from 1. Zero is unknown.
type position struct{ line, column int }

// step leads from what encloses a value to the value: the key of a mapping or, counted from 1, an item of a list.
type step struct {
	name string
	item int
}

// spot is a value that was written in the file, one of a tree. The decoder plants it; validation points with it. Paths are made of it when
// there is something to say about them: most files are right, and with many services their paths are a large part of the work.
type spot struct {
	up     *spot
	step   step
	at     position
	inside *inside // nil: nothing
}

// inside is what was written inside of a value.
type inside struct {
	list []*spot
	keys map[string]*spot // nil where the list is short
}

// few is how many keys are looked up one by one.
const few = 16

// find is what was written a step further; nil for nothing.
func (s *spot) find(next step) *spot {
	if s == nil || s.inside == nil {
		return nil
	}
	list := s.inside.list
	switch {
	case next.item > 0:
		// Items are in their order, but for those that are left empty.
		for i := min(next.item, len(list)) - 1; i >= 0 && list[i].step.item >= next.item; i-- {
			if list[i].step.item == next.item {
				return list[i]
			}
		}
		return nil
	case s.inside.keys != nil:
		return s.inside.keys[next.name]
	}
	for _, in := range list {
		if in.step == next {
			return in
		}
	}
	return nil
}

// add plants what was written a step further.
func (s *spot) add(fresh *spot) {
	if s.inside == nil {
		s.inside = new(inside)
	}
	in := s.inside
	in.list = append(in.list, fresh)
	switch {
	case fresh.step.item > 0:
	case in.keys != nil:
		in.keys[fresh.step.name] = fresh
	case len(in.list) > few:
		in.keys = make(map[string]*spot)
		for _, known := range in.list {
			in.keys[known.step.name] = known
		}
	}
}

// path leads to the value.
func (s *spot) path() string {
	switch {
	case s == nil || s.up == nil:
		return ""
	case s.step.item > 0:
		return s.up.path() + "[" + strconv.Itoa(s.step.item-1) + "]"
	case !plainName(s.step.name):
		return s.up.path() + "[" + strconv.Quote(s.step.name) + "]"
	case s.up.up == nil:
		return s.step.name
	}
	return s.up.path() + "." + s.step.name
}

// place is one path into the configuration and the nearest position that is known for it: its own when it was written,
// that of what encloses it otherwise.
type place struct {
	up   *spot // what it is in; nil for the file as a whole
	step step
	here *spot // nil: nothing was written
	at   position
}

// key is the place of a key of a mapping.
func (p place) key(name string) place { return p.next(step{name: name}) }

// item is the place of an item of a list.
func (p place) item(i int) place { return p.next(step{item: i + 1}) }

func (p place) next(next step) place {
	in := p.spot()
	further := place{up: in, step: next, here: in.find(next), at: p.at}
	if further.here != nil {
		further.at = further.here.at
	}
	return further
}

// spot is what was written here, or a stand-in that is in no tree.
func (p place) spot() *spot {
	if p.here != nil {
		return p.here
	}
	return &spot{up: p.up, step: p.step, at: p.at}
}

// plant notes that something is written here.
func (p place) plant() place {
	if p.here == nil {
		p.here = p.spot()
		if p.up != nil {
			p.up.add(p.here)
		}
	}
	p.here.at = p.at
	return p
}

// moved is the same place pointing at another position.
func (p place) moved(at position) place {
	p.at = at
	return p
}

// written says whether the file has a value here.
func (p place) written() bool { return p.here != nil }

// path leads to the place; it is empty for the file as a whole.
func (p place) path() string { return p.spot().path() }

// plainName says whether a name can stand in a path without quotes. A dot would look like another step.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}
