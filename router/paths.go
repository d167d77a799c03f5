package router

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// fewPrefixes is how many prefixes are compared one by one. More of them are looked up.
const fewPrefixes = 4

// paths finds the service for a path, among the rules of one host.
type paths struct {
	root     int // the service of all other paths, or absent
	few      []prefix
	byPrefix map[string]int // nil as long as they are few
	longest  int            // of byPrefix
	exact    map[string]int // nil without rules of the kind, which most hosts have not
	// longestExact saves a hash of an endless path.
	longestExact int
}

// prefix is a path that has a service, with all below it. It has no slash at its end.
type prefix struct {
	path    string
	service int
}

// covers says whether a path is that of the prefix, or below it.
func covers(prefix string, path []byte) bool {
	n := len(prefix)
	return len(path) >= n && (len(path) == n || path[n] == '/') && string(path[:n]) == prefix
}

func newPaths() paths { return paths{root: absent} }

// find is the index of the service, or absent.
func (p *paths) find(path []byte) int {
	if p.exact != nil && len(path) <= p.longestExact {
		if i, ok := p.exact[string(path)]; ok {
			return i
		}
	}
	if p.byPrefix != nil {
		return p.lookUp(path)
	}
	for i := range p.few {
		if covers(p.few[i].path, path) {
			return p.few[i].service
		}
	}
	return p.root
}

// lookUp finds the longest prefix in the map. The candidates are the path itself and what lies before each of its slashes,
// from the longest that any rule has: a client's endless path costs no more than the operator's longest rule.
func (p *paths) lookUp(path []byte) int {
	end := len(path)
	if end > p.longest {
		end = bytes.LastIndexByte(path[:p.longest+1], '/')
	}
	for ; end > 0; end = bytes.LastIndexByte(path[:end], '/') {
		if i, ok := p.byPrefix[string(path[:end])]; ok {
			return i
		}
	}
	return p.root
}

// addExact claims one path. It says who has it already, or absent.
func (p *paths) addExact(path string, service int) (holder int) {
	if p.exact == nil {
		p.exact = make(map[string]int)
	}
	if holder, taken := p.exact[path]; taken {
		return holder
	}
	p.exact[path] = service
	p.longestExact = max(p.longestExact, len(path))
	return absent
}

// addPrefix claims a path and all below it. It says who has it already, or absent.
func (p *paths) addPrefix(path string, service int) (holder int) {
	path = trimPrefix(path)
	if path == "" {
		holder, p.root = p.root, service
		return holder
	}
	if p.byPrefix != nil {
		if holder, taken := p.byPrefix[path]; taken {
			return holder
		}
		p.longest, p.byPrefix[path] = max(p.longest, len(path)), service
		return absent
	}
	for _, known := range p.few {
		if known.path == path {
			return known.service
		}
	}
	p.few = append(p.few, prefix{path, service})
	slices.SortFunc(p.few, func(a, b prefix) int { return cmp.Compare(len(b.path), len(a.path)) })
	if len(p.few) > fewPrefixes {
		p.byPrefix = make(map[string]int)
		for _, known := range p.few {
			p.longest, p.byPrefix[known.path] = max(p.longest, len(known.path)), known.service
		}
		p.few = nil
	}
	return absent
}

// trimPrefix brings a prefix into the form in which prefixes are compared: "/api/" is "/api", and "/" is empty.
func trimPrefix(path string) string { return strings.TrimSuffix(path, "/") }
