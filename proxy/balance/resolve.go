package balance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookupTime bounds one lookup.
	lookupTime = 5 * time.Second
	// maxAddresses bounds the endpoints that one name stands for.
	maxAddresses = 256
)

var errNoAddress = errors.New("the name has no address")

// target is one entry of Options.Endpoints.
type target struct {
	name       string // as configured
	host, port string
	named      bool // the host is a name that has to be looked up

	endpoints []*Endpoint // guarded by Group.mu
	fresh     bool        // guarded by Group.mu: never looked up with success
	last      Mishap      // guarded by Group.mu: the last failed lookup
	failures  *atomic.Uint64
}

// newTarget takes an entry apart. The local host is not looked up: its addresses are those of this machine, whichever of
// them listens (RFC 6761 section 6.3).
func newTarget(name string) *target {
	t := &target{name: name, failures: new(atomic.Uint64)}
	var err error
	if t.host, t.port, err = net.SplitHostPort(name); err != nil {
		t.host = name
		return t // connecting will say what is wrong
	}
	_, err = netip.ParseAddr(t.host)
	t.named = err != nil && t.host != "" && !strings.EqualFold(t.host, "localhost")
	t.fresh = t.named
	return t
}

// Resolve looks up all names that have no address yet, at the same time, and returns when that is done or the context
// ends. What is not found then, Run goes on looking for.
func (g *Group) Resolve(ctx context.Context) {
	var wait sync.WaitGroup
	for _, t := range g.names() {
		if g.unresolved(t) {
			wait.Go(func() { g.lookUp(ctx, t) })
		}
	}
	wait.Wait()
}

// Unresolved says whether there is anything for Resolve to look up.
func (g *Group) Unresolved() bool { return slices.ContainsFunc(g.names(), g.unresolved) }

// names are the targets that have to be looked up, each once.
func (g *Group) names() []*target {
	var all []*target
	for _, t := range g.targets {
		if t.named && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

func (g *Group) unresolved(t *target) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return t.fresh
}

// follow looks a name up again and again until the context ends.
func (g *Group) follow(ctx context.Context, t *target) {
	for pause(ctx, g.options.Resolve-spread(g.options.Resolve/10)) {
		limited, cancel := context.WithTimeout(ctx, lookupTime)
		g.lookUp(limited, t)
		cancel()
	}
}

// lookUp looks a name up once. When that fails, the last good answer stays.
func (g *Group) lookUp(ctx context.Context, t *target) {
	found, err := g.options.Resolver.LookupNetIP(ctx, "ip", t.host)
	if err != nil {
		err = fmt.Errorf("look up %s: %w", t.host, err)
	} else if len(found) == 0 {
		err = fmt.Errorf("look up %s: %w", t.host, errNoAddress)
	}
	if err == nil {
		g.settle(t, choose(found))
		return
	}
	if errors.Is(err, context.Canceled) {
		return // nobody wants to know any more
	}
	t.failures.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	t.last = Mishap{err.Error(), time.Now()}
}

// choose brings addresses into an order that does not depend on the answer's. A host that has addresses of both families
// is the same host twice, and not every machine has a way to IPv6: its IPv4 addresses are taken.
func choose(found []netip.Addr) []netip.Addr {
	var four, six []netip.Addr
	for _, a := range found {
		if a = a.Unmap(); a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	chosen := four
	if len(four) == 0 {
		chosen = six
	}
	slices.SortFunc(chosen, netip.Addr.Compare)
	chosen = slices.Compact(chosen)
	return chosen[:min(len(chosen), maxAddresses)]
}

// settle makes these addresses the endpoints of a target. Requests that are under way on one that is gone go on.
func (g *Group) settle(t *target, addresses []netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.retired {
		return
	}
	now, before := time.Now(), t.endpoints
	after := make([]*Endpoint, 0, len(addresses))
	for _, a := range addresses {
		address := net.JoinHostPort(a.String(), t.port)
		i := slices.IndexFunc(before, func(e *Endpoint) bool { return e.address == address })
		if i >= 0 {
			after = append(after, before[i])
			continue
		}
		added := g.newEndpoint(t, address)
		if !t.fresh {
			added.condition.since = now
		}
		after = append(after, added)
	}
	t.fresh = false
	if slices.Equal(before, after) {
		return
	}
	t.endpoints = after
	g.gather()
	g.publish(now)
	for _, e := range before {
		if !slices.Contains(g.members, e) {
			e.transport.Close()
		}
	}
	g.attend()
}

// pause waits, and reports whether the context goes on. No time at all is forever.
func pause(ctx context.Context, length time.Duration) bool {
	var over <-chan time.Time
	if length > 0 {
		timer := time.NewTimer(length)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// spread is a random time below a bound, so that not everybody asks at the same moment.
func spread(bound time.Duration) time.Duration {
	if bound <= 0 {
		return 0
	}
	return rand.N(bound)
}
