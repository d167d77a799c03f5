package config

import (
	"strconv"
)

// position is where something stands in the file, counted from 1. Zero is unknown.
type position struct{ line, column int }

// index says where each path was written. The decoder fills it; validation points with it.
type index map[string]position

// place is one path into the configuration and the nearest position that is known for it: its own when it was written,
// that of what encloses it otherwise.
type place struct {
	path   string
	parent string
	at     position
	in     index
}

// key is the place of a key of a mapping.
func (p place) key(name string) place {
	switch {
	case !plainName(name):
		return p.step(p.path + "[" + strconv.Quote(name) + "]")
	case p.path == "":
		return p.step(name)
	}
	return p.step(p.path + "." + name)
}

// item is the place of an item of a list.
func (p place) item(i int) place {
	return p.step(p.path + "[" + strconv.Itoa(i) + "]")
}

func (p place) step(path string) place {
	at, ok := p.in[path]
	if !ok {
		at = p.at
	}
	return place{path: path, parent: p.path, at: at, in: p.in}
}

// moved is the same place pointing at another position.
func (p place) moved(at position) place {
	p.at = at
	return p
}

// written says whether the file has a value here.
func (p place) written() bool {
	_, ok := p.in[p.path]
	return ok
}

// plainName says whether a name can stand in a path without quotes. A dot would look like another step.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}
