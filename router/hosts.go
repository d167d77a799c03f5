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
	exact    hostTable
	wildcard hostTable // by what follows "*."
	any      paths
}

// find is the index of the service, or absent.
func (h *hosts) find(host, path []byte) int {
	if found := h.exact.find(host); found != nil {
		if i := found.find(path); i != absent {
			return i
		}
	}
	for rest := h.start(host); rest != nil; rest = parent(rest) {
		if found := h.wildcard.find(rest); found != nil {
			if i := found.find(path); i != absent {
				return i
			}
		}
	}
	return h.any.find(path)
}

// start is the longest end of the host, after a dot, that a wildcard can have; nil when there is none. It cuts a host of
// thousands of labels down before the walk, which would otherwise take the square of its length.
func (h *hosts) start(host []byte) []byte {
	longest := h.wildcard.longest
	if longest == 0 {
		return nil
	}
	if spare := len(host) - longest - 1; spare > 0 {
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

// hostRules are the rules of all hosts while they are collected.
type hostRules struct {
	exact, wildcard map[string]*paths // a wildcard by what follows "*."
	any             paths
}

func newHostRules() *hostRules {
	return &hostRules{exact: make(map[string]*paths), wildcard: make(map[string]*paths), any: newPaths()}
}

// hosts is what requests are matched with. The rules must not be changed afterwards.
func (r *hostRules) hosts() *hosts {
	return &hosts{exact: newHostTable(r.exact), wildcard: newHostTable(r.wildcard), any: r.any}
}

var (
	errWildcard = errors.New(`a wildcard stands for whole labels at the front, as in "*.example.com"`)
	errLongHost = errors.New("its name is longer than any can be")
)

// longestHost is more than a name has in the domain name system (RFC 1035, section 2.3.4).
const longestHost = 4096

// paths finds or makes the paths of a host as a rule writes it.
func (r *hostRules) paths(host string) (*paths, error) {
	if host == "" {
		return &r.any, nil
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	name, wild := strings.CutPrefix(name, "*.")
	if name == "" || strings.Contains(name, "*") {
		return nil, fmt.Errorf("host %q: %w", host, errWildcard)
	}
	if len(name) > longestHost {
		return nil, fmt.Errorf("host %.40q...: %w", host, errLongHost)
	}
	byName := r.exact
	if wild {
		byName = r.wildcard
	}
	p, ok := byName[name]
	if !ok {
		fresh := newPaths()
		p = &fresh
		byName[name] = p
	}
	return p, nil
}
