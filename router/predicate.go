package router

import (
	"errors"
	"fmt"

	"haldane/config"
)

// Segment is a named predicate over a request. It is immutable.
type Segment struct {
	// Name is its name in the configuration.
	Name      string
	condition condition
}

// holds says whether the request is a member.
func (s *Segment) holds(a ask) bool { return s.condition.holds(a) }

// condition is one node of a predicate tree. A condition is immutable and does not keep the request.
type condition interface{ holds(a ask) bool }

// all holds when every part holds, anyOf when one does.
type (
	all   []condition
	anyOf []condition
)

func (c all) holds(a ask) bool {
	for _, part := range c {
		if !part.holds(a) {
			return false
		}
	}
	return true
}

func (c anyOf) holds(a ask) bool {
	for _, part := range c {
		if part.holds(a) {
			return true
		}
	}
	return false
}

// not holds when its part does not.
type not struct{ part condition }

func (c not) holds(a ask) bool { return !c.part.holds(a) }

// value looks at a header, a cookie or a query parameter. Without a matcher it is enough that there is one.
type value struct {
	source  source
	matcher matcher
}

func (c *value) holds(a ask) bool {
	found, ok := c.source.read(a.Request, nil) // never an address
	return ok && (c.matcher == nil || c.matcher.matches(found))
}

// methods is a list of request methods; it is too short for a map to pay.
type methods []string

func (c methods) holds(a ask) bool {
	have := a.Method()
	for _, method := range c {
		if string(have) == method {
			return true
		}
	}
	return false
}

// path looks at the path.
type path struct{ matcher matcher }

func (c path) holds(a ask) bool { return c.matcher.matches(a.Path()) }

// below is all paths at or below a prefix.
type below string

func (m below) matches(path []byte) bool {
	return len(path) >= len(m) && string(path[:len(m)]) == string(m) && (len(path) == len(m) || path[len(m)] == '/' || m == "")
}

// percent is a share of the values of a key. A request without the key is in no share of it.
type percent struct {
	source source
	draw   draw
}

const (
	inside  = 1
	outside = 0
)

func (c *percent) holds(a ask) bool {
	var buf [addressSize]byte
	key, _ := a.key(c.source, &buf)
	return len(key) > 0 && c.draw.at(c.draw.salt.sum(key)) == inside
}

// segments compiles all segments.
func (c *compiler) segments(settings map[string]config.Predicate) (map[string]*Segment, error) {
	compiled := make(map[string]*Segment, len(settings))
	for _, name := range names(settings) {
		p := settings[name]
		condition, err := c.condition(name, &p)
		if err != nil {
			return nil, fmt.Errorf("segment %s: %w", name, err)
		}
		compiled[name] = &Segment{Name: name, condition: condition}
	}
	return compiled, nil
}

var errEmptyPredicate = errors.New("a predicate says nothing")

// condition compiles one node; config has checked that it is of one kind. segment salts the percentages: two segments draw
// apart, while within one segment the smaller share of a key lies inside the larger.
func (c *compiler) condition(segment string, p *config.Predicate) (condition, error) {
	switch {
	case len(p.All) > 0:
		parts, err := c.conditions(segment, p.All)
		return all(parts), err
	case len(p.Any) > 0:
		parts, err := c.conditions(segment, p.Any)
		return anyOf(parts), err
	case p.Not != nil:
		part, err := c.condition(segment, p.Not)
		return not{part}, err
	case p.Header != "" || p.Cookie != "" || p.Query != "":
		return c.value(p)
	case len(p.Method) > 0:
		return methods(p.Method), nil
	case p.Path != "" || p.PathPrefix != "" || p.PathRegexp != "":
		return c.path(p)
	case len(p.Client) > 0:
		return newClients(p.Client)
	case p.Of != nil:
		return newPercent(segment, p)
	}
	return nil, errEmptyPredicate
}

func (c *compiler) conditions(segment string, parts []config.Predicate) ([]condition, error) {
	compiled := make([]condition, len(parts))
	for i := range parts {
		var err error
		if compiled[i], err = c.condition(segment, &parts[i]); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	return compiled, nil
}

func (c *compiler) value(p *config.Predicate) (condition, error) {
	from, err := newSource(config.Key{Header: p.Header, Cookie: p.Cookie, Query: p.Query})
	if err != nil {
		return nil, err
	}
	how := matching{exact: p.Exact, prefix: p.Prefix, regexp: p.Regexp}
	if len(p.In) > 0 || p.InFile != "" {
		how.list = newOneOf(p.In, p.List) // an empty file is a list that nobody is on
	}
	matcher, err := c.matcher(how)
	return &value{from, matcher}, err
}

func (c *compiler) path(p *config.Predicate) (condition, error) {
	if p.PathPrefix != "" {
		return path{below(trimPrefix(p.PathPrefix))}, nil
	}
	matcher, err := c.matcher(matching{exact: p.Path, regexp: p.PathRegexp})
	return path{matcher}, err
}

func newPercent(segment string, p *config.Predicate) (condition, error) {
	from, err := newSource(*p.Of)
	if err != nil {
		return nil, fmt.Errorf("percent: %w", err)
	}
	salt := saltOf(purposePercent, segment)
	return &percent{from, newCanaryDraw(salt, canaryDraw{share: p.Percent, canary: inside, stable: outside})}, nil
}
