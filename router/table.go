package router

import (
	"fmt"
)

// Service is one service of a table: its variants and how its traffic is shared out. It is immutable; a change of the
// split makes another Service of the same name and index. What a request reads stands at the front and together: where
// there are many services, the time of a request is that of fetching these lines.
type Service struct {
	sticky   sticky
	pins     pins
	voteSalt uint64
	split    Split

	// Index is its position in Table.Services. It stays when a split changes.
	Index int
	// Name is its name in the configuration.
	Name string
	// Variants are sorted by name. The index of a variant is its position here.
	Variants []Variant

	byName    map[string]int // variants
	optIn     optIn
	static    *Split    // without a spec: the split of the file
	specified bool      // whether split was made from spec, and is not static
	spec      SplitSpec // what split was made from
}

// Variant is one deployed version of a service.
type Variant struct {
	// Name is its name in the configuration.
	Name string
}

// Variant is the index of the variant of that name.
func (s *Service) Variant(name string) (index int, ok bool) {
	index, ok = s.byName[name]
	return index, ok
}

// Split is the split in force in this table.
func (s *Service) Split() *Split { return &s.split }

// Table is everything that is needed to choose a service and a variant for a request. It is immutable.
type Table struct {
	services []*Service
	byName   map[string]int
	segments map[string]*Segment
	hosts    *hosts
	fallback int // the default service, or absent
}

// absent stands where a table has no service.
const absent = -1

// Services are all services, sorted by name. The slice belongs to the table and must not be changed.
func (t *Table) Services() []*Service { return t.services }

// Find finds the service that a request belongs to, as its position in Services. The host counts first: an exact name, then
// the longest wildcard, then any host. A host whose rules have no fitting path leaves the request to the next one.
// Among the paths of a host an exact one counts before the longest prefix.
func (t *Table) Find(r Request) (index int, ok bool) {
	i := t.hosts.find(r.Host(), r.Path())
	if i == absent {
		i = t.fallback
	}
	return i, i != absent
}

// Match is the service that a request belongs to, as Find finds it; nil when there is none.
func (t *Table) Match(r Request) *Service {
	i, ok := t.Find(r)
	if !ok {
		return nil
	}
	return t.services[i]
}

// With is the same table with other splits: a service without a spec gets the split of its file. Both tables share
// everything else. A spec that names an unknown service, variant or segment is an error, and there is no new table.
func (t *Table) With(specs map[string]SplitSpec) (*Table, error) {
	changed := *t
	changed.services = make([]*Service, len(t.services))
	known := 0
	for i, s := range t.services {
		spec, ok := specs[s.Name]
		if !ok {
			changed.services[i] = s.withStatic()
			continue
		}
		known++
		fresh, err := s.with(spec, t.segments)
		if err != nil {
			return nil, fmt.Errorf("split of service %s: %w", s.Name, err)
		}
		changed.services[i] = fresh
	}
	if known < len(specs) {
		return nil, t.firstUnknown(specs)
	}
	return &changed, nil
}

// firstUnknown is the error for specs of services that do not exist.
func (t *Table) firstUnknown(specs map[string]SplitSpec) error {
	for _, name := range names(specs) {
		if _, ok := t.byName[name]; !ok {
			return unknown("service", name)
		}
	}
	return nil
}

// withStatic is the service with the split of its file.
func (s *Service) withStatic() *Service {
	if !s.specified {
		return s
	}
	changed := *s
	changed.split, changed.specified, changed.spec = *s.static, false, SplitSpec{}
	return &changed
}

// with is the service with the split of a spec. A spec that is in force already changes nothing: a new table for one
// service costs no work for the others.
func (s *Service) with(spec SplitSpec, segments map[string]*Segment) (*Service, error) {
	if s.specified && s.spec == spec {
		return s, nil
	}
	split, err := s.newSplit(spec, segments)
	if err != nil {
		return nil, err
	}
	changed := *s
	changed.split, changed.specified, changed.spec = *split, true, spec
	return &changed, nil
}

// unknown is the error for a name that nothing has.
func unknown(kind, name string) error { return fmt.Errorf("unknown %s %q", kind, name) }
