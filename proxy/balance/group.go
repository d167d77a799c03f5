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

	"haldane/config"
	"haldane/proxy/upstream"
)

// Options describe the endpoints of one variant.
type Options struct {
	// Endpoints are host:port, each an endpoint or, when the host is a name, as many as it has addresses. One that stands
	// there twice is one endpoint that is drawn twice as often.
	Endpoints []string
	// Transport is how requests are carried to each of them. Address is filled in.
	Transport upstream.Options
	// Ejection takes endpoints out that fail requests.
	Ejection config.Ejection
	// SlowStart is how long the share of an endpoint grows that came back or was added. Zero for none.
	SlowStart time.Duration
}

// Group is the endpoints of one variant.
type Group struct {
	options Options
	view    atomic.Pointer[view]
	panics  atomic.Uint64

	mu      sync.Mutex
	targets []*target   // guarded by mu, in the order of Options.Endpoints
	members []*Endpoint // guarded by mu: every endpoint once
}

// target is one entry of Options.Endpoints.
type target struct {
	name      string
	endpoints []*Endpoint // guarded by Group.mu
}

// New makes a group. Endpoints whose name, address and transport are those of the previous group (nil for none) are taken
// over with their connections, and what is known about them with them; the previous group goes on as it was. If nothing
// has changed at all, the previous group itself is given back. It starts nothing.
func New(o Options, previous *Group) *Group {
	if previous != nil && previous.options.equal(&o) {
		return previous
	}
	g := &Group{options: o}
	known := make(map[identity]*Endpoint)
	if previous != nil {
		previous.mu.Lock()
		for _, e := range previous.members {
			known[e.identity] = e
		}
		previous.mu.Unlock()
	}
	for _, name := range o.Endpoints {
		id := identity{name, name}
		e := g.endpoint(id, known[id])
		known[id] = e
		g.targets = append(g.targets, &target{name: name, endpoints: []*Endpoint{e}})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gather()
	g.publish(time.Now())
	return g
}

// equal says whether the two describe the same group.
func (o *Options) equal(other *Options) bool {
	return slices.Equal(o.Endpoints, other.Endpoints) && o.Transport == other.Transport &&
		o.Ejection == other.Ejection && o.SlowStart == other.SlowStart
}

// endpoint is the known endpoint, if it is carried to as this group says, or a new one with what is known about it.
func (g *Group) endpoint(id identity, known *Endpoint) *Endpoint {
	options := g.options.Transport
	options.Address = id.address
	switch {
	case known == nil:
		return newEndpoint(id, options, &condition{})
	case known.options != options:
		return newEndpoint(id, options, known.condition)
	}
	return known
}

// TakeOver makes this group the one that reports about its endpoints go to. It is called when the group comes into force.
func (g *Group) TakeOver() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.members {
		e.condition.group.Store(g)
	}
}

// Retire closes the idle connections to endpoints that the next group (nil for none) does not have. Exchanges that are
// under way on them go on.
func (g *Group) Retire(next *Group) {
	kept := make(map[*Endpoint]bool)
	if next != nil {
		for _, e := range next.Endpoints() {
			kept[e] = true
		}
	}
	for _, e := range g.Endpoints() {
		if !kept[e] {
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
