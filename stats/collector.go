package stats

import (
	"cmp"
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
)

// Collector shows the numbers of this process to Prometheus. It reads the cells when it is asked and keeps nothing in
// between: the request path pays nothing for it, and the series of a service that was forgotten are gone at the next scrape.
type Collector struct {
	registry *Registry
	process  *Process
	rollouts RolloutSource
	layout   layout
	forms    [families]form
}

// NewCollector makes the collector of a registry, of the process and of its rollouts. Either of the latter two may be
// nil, and its metrics are missing then.
func NewCollector(registry *Registry, process *Process, rollouts RolloutSource) *Collector {
	c := &Collector{registry: registry, process: process, rollouts: rollouts, layout: newLayout()}
	for f, d := range catalogue() {
		c.forms[f] = newForm(d)
	}
	return c
}

// Families reads all numbers, and then gives out one metric with all its series after the other, sorted by their names: all of them at once in
// the form of Prometheus are hundreds of megabytes where there are many services. What is given out must not be changed, and is good only
// until the next one. It may be called by several goroutines.
func (c *Collector) Families(yield func(*dto.MetricFamily) bool) {
	s := c.scrape()
	order := make([]family, 0, families)
	for f := range families {
		if s.all[f].length > 0 {
			order = append(order, f)
		}
	}
	slices.SortFunc(order, func(a, b family) int { return cmp.Compare(c.forms[a].name, c.forms[b].name) })
	var p page
	for _, f := range order {
		if !yield(p.show(&c.forms[f], &s.all[f])) {
			return
		}
		s.all[f] = series{} // garbage already
	}
}

// scrape reads all numbers.
func (c *Collector) scrape() *scrape {
	services := c.registry.Services()
	s := &scrape{Collector: c, idle: idleAmong(services)}
	for _, service := range services {
		s.quiet = s.idle[service.name]
		faults := service.allFaults()
		for _, name := range sorted(faults) {
			s.count(familyMetricFaults, faults[name].Clipped(), service.name, name, "clipped")
			s.count(familyMetricFaults, faults[name].Unreadable(), service.name, name, "unreadable")
		}
		s.clients(service.name, cmp.Or(service.clients.Load(), &Clients{}))
		for _, variant := range service.Variants() {
			s.variant(variant)
		}
	}
	s.quiet = false
	if c.rollouts != nil {
		statuses := c.rollouts.RolloutStatuses()
		slices.SortFunc(statuses, func(a, b RolloutStatus) int { return cmp.Compare(a.Service, b.Service) })
		for i := range statuses {
			s.rollout(&statuses[i])
		}
	}
	if c.process != nil {
		s.process(c.process)
	}
	return s
}

// sorted are the keys of a map in order, so that one scrape looks like the next.
func sorted[V any](all map[string]V) []string {
	if len(all) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(all))
}

// manyServices is how many services are shown with all their series, whether they have had requests or not. Where there are more, most
// have none, and 160 zeros of each of them would make a scrape take seconds, and a kilobyte each while it lasts.
const manyServices = 1000

// idleAmong are the services without any request so far, by name, where there are many services; nil where there are not.
func idleAmong(services []*Service) map[string]bool {
	if len(services) <= manyServices {
		return nil
	}
	idle := make(map[string]bool)
	for _, service := range services {
		if service.clients.Load() == nil {
			idle[service.name] = true
		}
	}
	return idle
}

// scrape is one answer to Prometheus.
type scrape struct {
	*Collector
	all    [families]series
	buffer Histogram // of the variant at hand
	idle   map[string]bool
	quiet  bool // what is zero is left out: it belongs to a service that is idle
}

// count emits a series of a counter.
func (s *scrape) count(f family, n uint64, labels ...string) {
	if n > 0 || !s.quiet {
		s.emit(f, labels).value = float64(n)
	}
}

// gauge emits a series of a gauge.
func (s *scrape) gauge(f family, value float64, labels ...string) {
	if value != 0 || !s.quiet {
		s.emit(f, labels).value = value
	}
}

// emit emits one series, whose number is to be set.
func (s *scrape) emit(f family, labels []string) *sample {
	one := s.all[f].add()
	for i, text := range labels {
		one.labels[i] = labelText(text)
	}
	return one
}

// variant emits the numbers of a variant. Every outcome and reason, and the two status classes that a rate of errors is made
// of, are there from the start: a series that appears with its first error has no rate at that moment.
func (s *scrape) variant(v *Variant) {
	if s.quiet && v.untouched() {
		return
	}
	service, name := v.service.name, v.name
	s.buffer.Reset()
	t := v.Snapshot(&s.buffer)
	for class := range t.Codes {
		for m, n := range t.Codes[class] {
			method := Method(m)
			if n > 0 || method == MethodGet && (class == 2 || class == 5) {
				s.count(familyRequests, n, service, name, className(class), method.String())
			}
		}
	}
	for o, n := range t.Outcomes {
		outcome := Outcome(o)
		if n > 0 || outcome != 0 {
			s.count(familyOutcomes, n, service, name, outcome.String())
		}
		if outcome.upstream() {
			s.count(familyUpstreamErrors, n, service, name, outcome.String())
		}
	}
	s.count(familyStalled, t.Stalled, service, name)
	s.gauge(familyInFlight, float64(t.InFlight), service, name)
	s.count(familyRequestBytes, t.BytesIn, service, name)
	s.count(familyResponseBytes, t.BytesOut, service, name)
	s.histogram(familyDuration, &s.buffer, v.examples.Load(), service, name)
	s.tunnels(v)
}
