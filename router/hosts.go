package router

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// hosts finds the service for a host and a path. What it costs depends on the labels of the host and the segments of the
// path, not on the number of services.
type hosts struct {
	exact    map[string]*paths
	wildcard map[string]*paths // by what follows "*."
	longest  int               // the longest key of wildcard: no longer end of a host needs a look
	any      paths
}

func newHosts() *hosts {
	return &hosts{exact: make(map[string]*paths), wildcard: make(map[string]*paths), any: newPaths()}
}

// find is the index of the service, or absent.
func (h *hosts) find(host, path []byte) int {
	if p, ok := h.exact[string(host)]; ok {
		if i := p.find(path); i != absent {
			return i
		}
	}
	for rest := h.start(host); rest != nil; rest = parent(rest) {
		if p, ok := h.wildcard[string(rest)]; ok {
			if i := p.find(path); i != absent {
				return i
			}
		}
	}
	return h.any.find(path)
}

// start is the longest end of the host, after a dot, that a wildcard can have; nil when there is none. It cuts a host of
// thousands of labels down before the walk, which would otherwise take the square of its length.
func (h *hosts) start(host []byte) []byte {
	if h.longest == 0 {
		return nil
	}
	if spare := len(host) - h.longest - 1; spare > 0 {
		host = host[spare:]
	}
	return parent(host)
}

// parent is what follows the first dot, nil without one.
func parent(host []byte) []byte {
	i := bytes.IndexByte(host, '.')
	if i < 0 {
		return nil
	}
	return host[i+1:]
}

var errWildcard = errors.New(`a wildcard stands for whole labels at the front, as in "*.example.com"`)

// paths finds or makes the paths of a host as a rule writes it.
func (h *hosts) paths(host string) (*paths, error) {
	if host == "" {
		return &h.any, nil
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	name, wild := strings.CutPrefix(name, "*.")
	if name == "" || strings.Contains(name, "*") {
		return nil, fmt.Errorf("host %q: %w", host, errWildcard)
	}
	byName := h.exact
	if wild {
		byName = h.wildcard
		h.longest = max(h.longest, len(name))
	}
	p, ok := byName[name]
	if !ok {
		fresh := newPaths()
		p = &fresh
		byName[name] = p
	}
	return p, nil
}
