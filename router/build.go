package router

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"haldane/config"
)

// Options is what a table is built from.
type Options struct {
	// Services are the services, by name.
	Services map[string]config.Service
	// Segments are the segments, by name, with their lists loaded.
	Segments map[string]config.Predicate
	// Default names the service of requests that match none. Empty: they have none.
	Default string
	// Splits are the splits in force, by service, as With takes them. Nil: every service has the split of its file.
	Splits map[string]SplitSpec
}

// Build makes a table. It relies on what config has checked (that alternatives exclude each other, for example), but an
// unknown name, a regular expression or a network that cannot be read, or a request claimed twice is an error here too.
func Build(o Options) (*Table, error) {
	c := &compiler{}
	segments, err := c.segments(o.Segments)
	if err != nil {
		return nil, err
	}
	t := &Table{segments: segments, byName: make(map[string]int, len(o.Services)), fallback: absent}
	rules := newHostRules()
	for i, name := range names(o.Services) {
		s, err := newService(name, o.Services[name], c)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
		s.Index = i
		t.services = append(t.services, s)
		t.byName[name] = i
		if err := t.claim(rules, i, o.Services[name].Match); err != nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
	}
	t.hosts = rules.hosts()
	if o.Default != "" {
		i, ok := t.byName[o.Default]
		if !ok {
			return nil, fmt.Errorf("default: %w", unknown("service", o.Default))
		}
		t.fallback = i
	}
	if len(o.Splits) == 0 {
		return t, nil
	}
	return t.With(o.Splits)
}

// names are the keys in order, so that two builds of one configuration never differ.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// claim enters the matches of a service into the rules.
func (t *Table) claim(rules *hostRules, service int, matches []config.Match) error {
	if len(matches) == 0 {
		matches = []config.Match{{}}
	}
	for i, rule := range matches {
		p, err := rules.paths(rule.Host)
		if err != nil {
			return fmt.Errorf("match %d: %w", i+1, err)
		}
		var holder int
		if rule.Path != "" {
			holder = p.addExact(rule.Path, service)
		} else {
			holder = p.addPrefix(rule.PathPrefix, service)
		}
		if holder != absent && holder != service {
			return fmt.Errorf("match %d: service %s already matches the same requests", i+1, t.services[holder].Name)
		}
	}
	return nil
}

var errNoVariants = errors.New("it has no variants")

// newService compiles one service, with the split of its file in force.
func newService(name string, settings config.Service, c *compiler) (*Service, error) {
	if len(settings.Variants) == 0 {
		return nil, errNoVariants
	}
	s := &Service{Name: name, byName: make(map[string]int, len(settings.Variants))}
	for i, variant := range names(settings.Variants) {
		s.Variants = append(s.Variants, Variant{Name: variant})
		s.byName[variant] = i
	}
	var err error
	if s.pins, err = newPins(settings, s.byName, c); err != nil {
		return nil, err
	}
	if s.optIn, err = newOptIn(settings); err != nil {
		return nil, err
	}
	if settings.Sticky != nil {
		if s.sticky.source, err = newSource(settings.Sticky.Key); err != nil {
			return nil, fmt.Errorf("sticky: %w", err)
		}
		s.sticky.issue = settings.Sticky.Issue && s.sticky.source.place == placeCookie
	}
	s.voteSalt = voteSalt(name)
	if s.static, err = s.newStatic(settings); err != nil {
		return nil, err
	}
	s.split = *s.static
	return s, nil
}

var errShares = errors.New("the shares of the split do not add up to 100%")

// newStatic is the split of the file: its shares, or all to the stable.
func (s *Service) newStatic(settings config.Service) (*Split, error) {
	stable := settings.Stable
	if stable == "" && len(s.Variants) == 1 {
		stable = s.Variants[0].Name
	}
	split, err := s.newSplit(SplitSpec{Stable: stable}, nil)
	if err != nil || len(settings.Split) == 0 {
		return split, err
	}
	clear(split.Shares)
	left := config.Whole
	for _, name := range names(settings.Split) {
		i, ok := s.byName[name]
		if !ok {
			return nil, fmt.Errorf("split: %w", unknown("variant", name))
		}
		share := settings.Split[name]
		if share > left {
			return nil, errShares
		}
		split.Shares[i], left = share, left-share
	}
	if left != 0 {
		return nil, errShares
	}
	split.seal(s.Name)
	return split, nil
}
