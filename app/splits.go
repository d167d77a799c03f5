package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"haldane/config"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/router"
)

// splits carries the orders of the rollouts to the proxy. A change of one split and a reload take turns; a revocation
// waits for nobody.
type splits struct {
	proxy *proxy.Server

	mu       sync.Mutex
	snapshot *proxy.Snapshot             // what the proxy serves from
	segments map[string]config.Predicate // those the snapshot's table knows
	specs    map[string]router.SplitSpec // the split in force of each service with a rollout

	revocations sync.Map // service -> *router.Revocation of its running rollout
}

// SetSplit puts one split in force.
func (s *splits) SetSplit(split rollout.Split) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	spec := s.spec(split, s.segments)
	revoke(split, spec.Revocation)
	specs := maps.Clone(s.specs)
	specs[split.Service] = spec
	table, err := s.snapshot.Table().With(specs)
	if err != nil {
		return fmt.Errorf("set the split of service %s: %w", split.Service, err)
	}
	s.publish(specs)
	s.specs = specs
	s.snapshot = s.snapshot.WithTable(table)
	s.proxy.Swap(s.snapshot)
	return nil
}

// revoke takes the canary out where the split says so. It comes before the table: requests that read the old table see the switch.
func revoke(split rollout.Split, r *router.Revocation) {
	if split.RolledBack {
		r.Revoke()
	}
	r.RevokeParts(router.Parts(split.Back))
}

// Revoke takes the canary of a service out of service at once. It may be called from a request.
func (s *splits) Revoke(service string) {
	if revocation, ok := s.revocations.Load(service); ok {
		revocation.(*router.Revocation).Revoke()
	}
}

// spec turns a rollout's order into the router's terms. A step that is under way keeps the segment it was defined with; if the
// file no longer defines it, nobody belongs to it. Called with mu held.
func (s *splits) spec(split rollout.Split, segments map[string]config.Predicate) router.SplitSpec {
	if _, known := segments[split.Segment]; !known {
		split.Segment = ""
	}
	if split.Segment == "" && split.OptIn == "" {
		split.Strength = 0
	}
	return router.SplitSpec{
		Rollout:    split.Rollout,
		Revision:   split.Revision,
		Stable:     split.Stable,
		Canary:     split.Canary,
		Weight:     split.Weight,
		Segment:    split.Segment,
		OptIn:      split.OptIn,
		Strength:   split.Strength,
		Override:   split.Override,
		Revocation: s.revocation(split),
		Partial:    split.Partial,
		Back:       router.Parts(split.Back),
	}
}

// revocation is the switch of a rollout: the same one in every table that knows the rollout, a new one for each new rollout.
func (s *splits) revocation(split rollout.Split) *router.Revocation {
	if old, ok := s.specs[split.Service]; ok && old.Rollout == split.Rollout {
		return old.Revocation
	}
	return &router.Revocation{}
}

// publish lets the switches of the specs that are about to be in force be found.
func (s *splits) publish(specs map[string]router.SplitSpec) {
	for service, spec := range specs {
		s.revocations.Store(service, spec.Revocation)
	}
}

// built is what a configuration was made into.
type built struct {
	snapshot *proxy.Snapshot
	segments map[string]config.Predicate
}

// replace puts a whole new snapshot in force, with the splits of all rollouts. On an error the old one stays.
func (s *splits) replace(next built, orders []rollout.Split) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	specs := make(map[string]router.SplitSpec, len(orders))
	for _, split := range orders {
		spec := s.spec(split, next.segments)
		revoke(split, spec.Revocation)
		specs[split.Service] = spec
	}
	table, err := next.snapshot.Table().With(specs)
	if err != nil {
		return fmt.Errorf("apply the splits of running rollouts: %w", err)
	}
	s.publish(specs)
	for service := range s.specs {
		if _, ok := specs[service]; !ok {
			s.revocations.Delete(service)
		}
	}
	s.specs, s.segments = specs, next.segments
	s.snapshot = next.snapshot.WithTable(table)
	s.proxy.Swap(s.snapshot)
	return nil
}

// current is the snapshot that the proxy serves from; nil before the first.
func (s *splits) current() *proxy.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot
}

// shares are the shares of each variant of each service right now.
func (s *splits) shares() map[string]map[string]config.Percent {
	services := s.current().Table().Services()
	all := make(map[string]map[string]config.Percent, len(services))
	for _, service := range services {
		all[service.Name] = shares(service)
	}
	return all
}

// sharesOf are those of one service; nil for one that is not in force.
func (s *splits) sharesOf(name string) map[string]config.Percent {
	services := s.current().Table().Services()
	i, found := slices.BinarySearchFunc(services, name, func(s *router.Service, name string) int { return strings.Compare(s.Name, name) })
	if !found {
		return nil
	}
	return shares(services[i])
}

// shares are the shares of each variant of a service.
func shares(service *router.Service) map[string]config.Percent {
	all := make(map[string]config.Percent, len(service.Variants))
	for i, variant := range service.Variants {
		all[variant.Name] = service.Split().Shares[i]
	}
	return all
}
