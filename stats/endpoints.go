package stats

// Endpoints is the numbers of the endpoints of one variant.
type Endpoints struct {
	// Service and Variant are whose they are.
	Service, Variant string
	// Each is the endpoints.
	Each []Endpoint
	// LookupFailures counts the failed lookups of each configured endpoint whose host is a name.
	LookupFailures map[string]uint64
	// Panics counts the requests that were sent although no endpoint was in order.
	Panics uint64
}

// Endpoint is the numbers of one endpoint.
type Endpoint struct {
	// Name is the endpoint as it is configured, and Address one of its addresses; empty as long as there is none.
	Name, Address string
	// Up says whether it gets requests: neither its health nor an ejection keeps it out.
	Up bool
	// InFlight is the requests under way.
	InFlight int64
	// Open is the open connections, and Idle those of them that nobody uses.
	Open, Idle int
	// Waiting is the requests in the queue for a connection.
	Waiting int
	// Waits counts the requests that had to wait, and Overflows those that got no connection.
	Waits, Overflows uint64
	// Ejections counts the times it was taken out for failing, and HealthFailures the bad looks at its health.
	Ejections, HealthFailures uint64
}

// describeEndpoints describes what is known of endpoints.
func describeEndpoints(all *[families]description) {
	endpoint := []string{"service", "variant", "endpoint", "address"}
	describe := func(f family, name string, k kind, help string) {
		all[f] = description{name, k, endpoint, help}
	}
	describe(familyEndpointUp, "haldane_endpoint_up", gauge,
		"1 if the endpoint gets requests, 0 if its health, an ejection or the lack of an address keeps it out.")
	describe(familyEndpointInFlight, "haldane_endpoint_requests_in_flight", gauge,
		"Requests that are under way at the endpoint or wait for a connection to it.")
	all[familyEndpointConnections] = description{
		"haldane_endpoint_connections", gauge,
		[]string{"service", "variant", "endpoint", "address", "state"},
		"Open connections to the endpoint, by whether a request uses them.",
	}
	describe(familyEndpointWaiting, "haldane_endpoint_queue_requests", gauge,
		"Requests that wait for a connection to the endpoint.")
	describe(familyEndpointWaits, "haldane_endpoint_queue_waits_total", counter,
		"Requests that had to wait for a connection to the endpoint.")
	describe(familyEndpointOverflows, "haldane_endpoint_queue_overflows_total", counter,
		"Requests that got no connection to the endpoint, because the queue was full or they waited in vain.")
	describe(familyEndpointEjections, "haldane_endpoint_ejections_total", counter,
		"Times the endpoint was taken out for failing requests.")
	describe(familyEndpointHealthFailures, "haldane_endpoint_health_failures_total", counter,
		"Bad looks at the health of the endpoint.")
	all[familyLookupFailures] = description{
		"haldane_endpoint_lookup_failures_total", counter,
		[]string{"service", "variant", "endpoint"},
		"Failed lookups of the name of an endpoint.",
	}
	all[familyEndpointPanics] = description{
		"haldane_endpoint_panics_total", counter,
		[]string{"service", "variant"},
		"Requests that were sent to an endpoint that was not in order, because none was.",
	}
}

// endpoints emits the numbers of the endpoints of a variant.
func (s *scrape) endpoints(v *Endpoints) {
	s.quiet = s.idle[v.Service]
	for i := range v.Each {
		e := &v.Each[i]
		labels := []string{v.Service, v.Variant, e.Name, e.Address}
		s.emit(familyEndpointUp, labels).value = indicator(e.Up) // also of idle ones: it is their zero that matters
		s.gauge(familyEndpointInFlight, float64(e.InFlight), labels...)
		s.gauge(familyEndpointConnections, float64(e.Idle), v.Service, v.Variant, e.Name, e.Address, "idle")
		s.gauge(familyEndpointConnections, float64(e.Open-e.Idle), v.Service, v.Variant, e.Name, e.Address, "used")
		s.gauge(familyEndpointWaiting, float64(e.Waiting), labels...)
		s.count(familyEndpointWaits, e.Waits, labels...)
		s.count(familyEndpointOverflows, e.Overflows, labels...)
		s.count(familyEndpointEjections, e.Ejections, labels...)
		s.count(familyEndpointHealthFailures, e.HealthFailures, labels...)
	}
	for _, name := range sorted(v.LookupFailures) {
		s.count(familyLookupFailures, v.LookupFailures[name], v.Service, v.Variant, name)
	}
	s.count(familyEndpointPanics, v.Panics, v.Service, v.Variant)
}
