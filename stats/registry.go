package stats

import (
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// maxShards bounds the memory of a busy variant on large machines; beyond it cores share shards.
const maxShards = 64

// Registry is all services this process has numbers of.
type Registry struct {
	shards int

	mu       sync.Mutex
	services map[string]*Service // guarded by mu
}

// NewRegistry makes an empty registry. Each variant has the given number of shards, raised to GOMAXPROCS, rounded up to a
// power of two, and at most 64; zero means as many as GOMAXPROCS asks for.
func NewRegistry(shards int) *Registry {
	shards = min(max(shards, runtime.GOMAXPROCS(0), 1), maxShards)
	return &Registry{shards: 1 << bits.Len(uint(shards-1)), services: make(map[string]*Service)}
}

// Service finds the service of that name, or makes it. The same name gives the same numbers over reloads, until Keep
// forgets it.
func (r *Registry) Service(name string) *Service {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.services[name]
	if !ok {
		s = &Service{name: name, shards: r.shards, variants: make(map[string]*Variant)}
		s.judging.Store(anyRevision)
		r.services[name] = s
	}
	return s
}

// Services lists all services by name.
func (r *Registry) Services() []*Service {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Service, 0, len(r.services))
	for _, s := range r.services {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Service) int { return strings.Compare(a.name, b.name) })
	return all
}

// Keep forgets every service that is not named, and every variant that is not named under its service; their series
// vanish from the metrics. Call it after the new snapshot is in place. Requests in flight that hold a forgotten variant
// record without harm; nobody sees it.
func (r *Registry) Keep(alive map[string][]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, s := range r.services {
		variants, ok := alive[name]
		if !ok {
			delete(r.services, name)
			continue
		}
		s.keep(variants)
	}
}

// anyRevision is the value of Service.judging that opens the judged lanes to every revision.
const anyRevision = ^uint64(0)

// Service is the numbers of one service. What every request reads, and hardly anybody writes, is one cache line at its front.
type Service struct {
	judging  atomic.Uint64 // the revision whose requests are judged, or anyRevision
	dirty    atomic.Bool
	kinds    atomic.Pointer[Kinds]
	measures atomic.Pointer[Measures]
	budget   Budget
	voters   Voters
	_        cacheLine

	name   string
	shards int

	mu       sync.Mutex
	variants map[string]*Variant // guarded by mu
	faults   map[string]*Faults  // guarded by mu

	clients atomic.Pointer[Clients] // made with the first request
	samples atomic.Pointer[Samples] // made with the first rollout or failure
}

// Name is the name of the service.
func (s *Service) Name() string { return s.name }

// Variant finds the variant of that name, or makes it.
func (s *Service) Variant(name string) *Variant {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.variants[name]
	if !ok {
		v = &Variant{name: name}
		v.Counter = Counter{berths: make([]berth, s.shards), service: s, variant: v}
		s.variants[name] = v
	}
	return v
}

// Variants lists all variants by name.
func (s *Service) Variants() []*Variant {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Variant, 0, len(s.variants))
	for _, v := range s.variants {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *Variant) int { return strings.Compare(a.name, b.name) })
	return all
}

// keep forgets the variants that are not named.
func (s *Service) keep(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.variants {
		if !slices.Contains(names, name) {
			delete(s.variants, name)
		}
	}
}

// Voters counts the votes of the service's sticky users.
func (s *Service) Voters() *Voters { return &s.voters }

// Budget is the stop-loss of the service's rollout.
func (s *Service) Budget() *Budget { return &s.budget }

// Samples are a few failed requests of the service's canary.
func (s *Service) Samples() *Samples {
	if kept := s.samples.Load(); kept != nil {
		return kept
	}
	s.samples.CompareAndSwap(nil, new(Samples))
	return s.samples.Load()
}

// Clients is what the clients of the service saw.
func (s *Service) Clients() *Clients {
	if c := s.clients.Load(); c != nil {
		return c
	}
	s.clients.CompareAndSwap(nil, &Clients{shards: make([]atomic.Pointer[clientCells], s.shards)})
	return s.clients.Load()
}

// Dirty says whether a request has ended since the last call. When it says no, nothing has changed and there is nothing to
// judge. A request that ends while it is called is seen by this call or by the next.
func (s *Service) Dirty() bool { return s.dirty.Load() && s.dirty.Swap(false) }

// touch marks the service as dirty. The flag is read first because a write would take the cache line away from all other
// cores at every request.
func (s *Service) touch() {
	if !s.dirty.Load() {
		s.dirty.Store(true)
	}
}

// Variant is the numbers of one variant of a service. Quiet ones are cheap: nothing but a cache line per shard is there before
// the first request.
type Variant struct {
	Counter
	name    string
	wides   [lanes]atomic.Pointer[wide] // made when a cell of the lane is full
	tunnels atomic.Pointer[Tunnels]     // made with the first one

	examples atomic.Pointer[examples] // made with the first one
}

// Counter is the way of requests to the numbers of a variant. Whoever has many variants keeps it by value beside what leads there: then
// a request need not wait for the Variant to come from memory before its cells can.
type Counter struct {
	berths  []berth // one for each shard; the length is a power of two
	service *Service
	variant *Variant
}

// Name is the name of the variant.
func (v *Variant) Name() string { return v.name }

// Tunnels is the upgraded connections of the variant.
func (v *Variant) Tunnels() *Tunnels {
	if t := v.tunnels.Load(); t != nil {
		return t
	}
	v.tunnels.CompareAndSwap(nil, new(Tunnels))
	return v.tunnels.Load()
}

// Service is the service the variant belongs to.
func (v *Variant) Service() *Service { return v.service }
