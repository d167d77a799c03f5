package router

import (
	"bytes"
	"strings"
)

// paths finds the service for a path, among the rules of one host.
type paths struct {
	exact         map[string]int // nil without rules of the kind, which most hosts have not
	prefix        map[string]int // without their last slash; the prefix of all paths is root
	longestExact  int
	longestPrefix int
	root          int // the service of all other paths, or absent
}

func newPaths() paths { return paths{root: absent} }

// find is the index of the service, or absent.
func (p *paths) find(path []byte) int {
	if len(path) <= p.longestExact {
		if i, ok := p.exact[string(path)]; ok {
			return i
		}
	}
	// The candidates are the path itself and what lies before each of its slashes, from the longest that any rule has: a
	// client's endless path costs no more than the operator's longest rule.
	end := len(path)
	if end > p.longestPrefix {
		end = bytes.LastIndexByte(path[:p.longestPrefix+1], '/')
	}
	for ; end > 0; end = bytes.LastIndexByte(path[:end], '/') {
		if i, ok := p.prefix[string(path[:end])]; ok {
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
	if p.prefix == nil {
		p.prefix = make(map[string]int)
	}
	if holder, taken := p.prefix[path]; taken {
		return holder
	}
	p.prefix[path] = service
	p.longestPrefix = max(p.longestPrefix, len(path))
	return absent
}

// trimPrefix brings a prefix into the form in which prefixes are compared: "/api/" is "/api", and "/" is empty.
func trimPrefix(path string) string { return strings.TrimSuffix(path, "/") }
