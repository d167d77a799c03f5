// Package balance decides which endpoint of a variant gets a request.
//
// It owns the set of a variant's endpoints and what is known about each: its connections in flight, whether it answers, whether it was
// ejected for failing, and how much of its share it may have yet. It looks names up and asks endpoints for their health. It
// does not carry requests (proxy/upstream), choose variants (router) or count outcomes (stats), and never decides what a
// failure means for a rollout.
//
// Concurrency: everything may be called from any goroutine. Pick and Report take no lock as long as all goes well; what is
// known changes under a lock and is published as an immutable view. The package starts goroutines only in Run, which ends
// when they have. What is known about an endpoint belongs to its name and address, not to the Group: the Group of the next
// configuration takes it over.
package balance

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"haldane/proxy/upstream"
)

// Group is the endpoints of one variant.
type Group struct {
	options Options
	view    atomic.Pointer[view]
	panics  atomic.Uint64

	mu      sync.Mutex
	targets []*target   // in the order of Options.Endpoints; the list never changes
	members []*Endpoint // guarded by mu: every endpoint once
	retired bool        // guarded by mu: another group has taken over

	attendance *attendance // guarded by mu: while Run runs
}

// New makes a group. Endpoints whose name, address and transport are those of the previous group (nil for none) are taken
// over with their connections, and what is known about them with them; the previous group goes on as it was. If nothing
// has changed at all, the previous group itself is given back. It starts nothing, and looks nothing up: see Resolve.
func New(o Options, previous *Group) *Group {
	if previous != nil && o.Transport.TLS.Same(previous.options.Transport.TLS) {
		o.Transport.TLS = previous.options.Transport.TLS
	}
	if previous != nil && previous.options.equal(&o) {
		return previous
	}
	g := &Group{options: o}
	for _, name := range o.Endpoints {
		// The same entry again is the same target, so that it has the same endpoints.
		if i := slices.IndexFunc(g.targets, func(t *target) bool { return t.name == name }); i >= 0 {
			g.targets = append(g.targets, g.targets[i])
			continue
		}
		t := newTarget(name)
		if !t.named {
			t.endpoints = []*Endpoint{g.newEndpoint(t, name)}
		}
		g.targets = append(g.targets, t)
	}
	if previous != nil {
		g.inherit(previous)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gather()
	g.publish(time.Now())
	return g
}

// inherit takes over from the previous group what belongs to the same names.
func (g *Group) inherit(previous *Group) {
	previous.mu.Lock()
	defer previous.mu.Unlock()
	for _, t := range g.targets {
		i := slices.IndexFunc(previous.targets, func(old *target) bool { return old.name == t.name })
		if i < 0 {
			continue
		}
		old := previous.targets[i]
		t.failures, t.last, t.fresh = old.failures, old.last, old.fresh
		t.endpoints = make([]*Endpoint, 0, len(old.endpoints))
		for _, e := range old.endpoints {
			if options := g.transport(t, e.address); e.options != options {
				e = newEndpoint(e.identity, options, e.condition)
			}
			t.endpoints = append(t.endpoints, e)
		}
	}
}

// newEndpoint makes an endpoint about which nothing is known.
func (g *Group) newEndpoint(t *target, address string) *Endpoint {
	return newEndpoint(identity{t.name, address}, g.transport(t, address), &condition{})
}

// transport is how requests are carried to an address of a target.
func (g *Group) transport(t *target, address string) upstream.Options {
	o := g.options.Transport
	o.Address = address
	if o.ServerName == "" && o.TLS != nil {
		o.ServerName = t.host
	}
	return o
}

// Replace puts the group in the place of the previous one (nil for none), which must have come to New: reports go to this
// one, and connections to endpoints that it does not have are closed as by Close.
func (g *Group) Replace(previous *Group) {
	if previous != nil {
		previous.retire()
	}
	g.mu.Lock()
	members := g.members
	for _, e := range members {
		e.condition.group.Store(g)
		e.transport.Reopen() // the previous group may have lost sight of it since New
	}
	g.publish(time.Now()) // and what is known may have changed
	g.mu.Unlock()
	if previous != nil {
		previous.closeAllBut(members)
	}
}

// Close closes the idle connections to the endpoints. Exchanges that are under way go on.
func (g *Group) Close() {
	g.retire()
	g.closeAllBut(nil)
}

// retire makes the group leave its endpoints alone.
func (g *Group) retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired = true
}

func (g *Group) closeAllBut(kept []*Endpoint) {
	for _, e := range g.Endpoints() {
		if !slices.Contains(kept, e) {
			e.transport.Close()
		}
	}
}

// Endpoints are all endpoints as they are now, each once.
func (g *Group) Endpoints() []*Endpoint {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members
}

// InFlight is how many exchanges are under way at all endpoints together, for whoever shares them out.
func (g *Group) InFlight() int64 {
	var n int64
	for _, e := range g.Endpoints() {
		n += e.transport.InFlight()
	}
	return n
}

// Tick does what is due by now: ends ejections, lets shares grow, closes connections that have been idle for too long. It
// should be called a few times a second.
func (g *Group) Tick(now time.Time) {
	g.mu.Lock()
	members, changed := g.members, g.view.Load().ramping
	for _, e := range members {
		changed = e.condition.readmit(now) || changed
	}
	if changed {
		g.publish(now)
	}
	g.mu.Unlock()
	for _, e := range members {
		e.transport.Prune(now)
	}
}

// gather lists the endpoints of all targets. g.mu is held. The list is never changed, only replaced.
func (g *Group) gather() {
	members := make([]*Endpoint, 0, len(g.targets))
	for _, t := range g.targets {
		for _, e := range t.endpoints {
			if !slices.Contains(members, e) {
				members = append(members, e)
				e.condition.group.CompareAndSwap(nil, g)
			}
		}
	}
	g.members = members
}
