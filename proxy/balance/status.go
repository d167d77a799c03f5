package balance

import (
	"slices"
	"time"

	"haldane/proxy/upstream"
)

// Status is what there is to know about a group.
type Status struct {
	// Endpoints are the endpoints, in the order of Options.Endpoints, each once. A name without an address is one without
	// an Address.
	Endpoints []EndpointStatus
	// Names are the entries that have to be looked up.
	Names []NameStatus
	// Panics is how many requests were sent although no endpoint was in order.
	Panics uint64
}

// EndpointStatus is what there is to know about one endpoint.
type EndpointStatus struct {
	// Name is the endpoint as it is configured, and Address one of its addresses.
	Name, Address string
	// Up says whether it gets requests as far as it is concerned: neither its health nor an ejection keeps it out.
	Up bool
	// Unhealthy says that its health keeps it out.
	Unhealthy bool
	// EjectedUntil is the end of its ejection; zero when it is not ejected.
	EjectedUntil time.Time
	// InFlight is the exchanges under way.
	InFlight int64
	// Requests is how many were sent to it since it is known with these settings, each try counted; Failed how many of them
	// counted as failed.
	Requests, Failed uint64
	// Load is its connections.
	Load upstream.Load
	// Ejections and ChecksFailed count since it is known.
	Ejections, ChecksFailed uint64
	// Last is what went wrong last.
	Last Mishap
}

// NameStatus is what there is to know about a name.
type NameStatus struct {
	// Name is the endpoint as it is configured.
	Name string
	// Failures is how many lookups have failed.
	Failures uint64
	// Last is the last one that failed.
	Last Mishap
}

// Status tells what there is to know.
func (g *Group) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Status{Panics: g.panics.Load()}
	for i, t := range g.targets {
		if slices.Index(g.targets, t) < i {
			continue
		}
		if t.named {
			s.Names = append(s.Names, NameStatus{Name: t.name, Failures: t.failures.Load(), Last: t.last})
		}
		if len(t.endpoints) == 0 {
			s.Endpoints = append(s.Endpoints, EndpointStatus{Name: t.name, Last: t.last})
		}
		for _, e := range t.endpoints {
			s.Endpoints = append(s.Endpoints, e.status(&g.options))
		}
	}
	return s
}

func (e *Endpoint) status(o *Options) EndpointStatus {
	c := e.condition
	c.mu.Lock()
	defer c.mu.Unlock()
	s := EndpointStatus{
		Name: e.name, Address: e.address,
		Unhealthy:    c.sick && o.Health != nil,
		EjectedUntil: c.until,
		InFlight:     e.transport.InFlight(),
		Requests:     e.transport.Begun(),
		Failed:       c.failed.Load(),
		Load:         e.transport.Load(),
		Ejections:    c.ejections,
		ChecksFailed: c.checksFailed,
		Last:         c.last,
	}
	s.Up = !s.Unhealthy && s.EjectedUntil.IsZero()
	return s
}
