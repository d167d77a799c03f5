package stats

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector shows the numbers of this process to Prometheus. It reads the cells when it is asked and keeps nothing in
// between: the request path pays nothing for it, and the series of a service that was forgotten are gone at the next scrape.
type Collector struct {
	registry *Registry
	process  *Process
	rollouts RolloutSource
	layout   layout
	descs    [families]*prometheus.Desc
}

// NewCollector makes the collector of a registry, of the process and of its rollouts. Either of the latter two may be
// nil, and its metrics are missing then.
func NewCollector(registry *Registry, process *Process, rollouts RolloutSource) *Collector {
	c := &Collector{registry: registry, process: process, rollouts: rollouts, layout: newLayout()}
	for f, d := range catalogue() {
		c.descs[f] = prometheus.NewDesc(d.name, d.help, d.labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector. It may be called by several goroutines.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	services := c.registry.Services()
	s := &scrape{Collector: c, out: out, idle: idleAmong(services)}
	for _, service := range services {
		s.quiet = s.idle[service.name]
		for name, faults := range service.allFaults() {
			s.count(familyMetricFaults, faults.Clipped(), service.name, name, "clipped")
			s.count(familyMetricFaults, faults.Unreadable(), service.name, name, "unreadable")
		}
		s.clients(service.name, cmp.Or(service.clients.Load(), &Clients{}))
		for _, variant := range service.Variants() {
			s.variant(variant)
		}
	}
	s.quiet = false
	if c.rollouts != nil {
		for _, status := range c.rollouts.RolloutStatuses() {
			s.rollout(&status)
		}
	}
	if c.process != nil {
		s.process(c.process)
	}
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
	out    chan<- prometheus.Metric
	buffer Histogram // of the variant at hand
	idle   map[string]bool
	quiet  bool // what is zero is left out: it belongs to a service that is idle
}

// count emits a series of a counter.
func (s *scrape) count(f family, n uint64, labels ...string) {
	if n > 0 || !s.quiet {
		s.emit(f, prometheus.CounterValue, float64(n), labels)
	}
}

// gauge emits a series of a gauge.
func (s *scrape) gauge(f family, value float64, labels ...string) {
	if value != 0 || !s.quiet {
		s.emit(f, prometheus.GaugeValue, value, labels)
	}
}

// emit emits one series. A label that cannot be shown fails the scrape with a message and not the process.
func (s *scrape) emit(f family, kind prometheus.ValueType, value float64, labels []string) {
	m, err := prometheus.NewConstMetric(s.descs[f], kind, value, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(s.descs[f], err)
	}
	s.out <- m
}

// variant emits the numbers of a variant. Every outcome and reason, and the two status classes that a rate of errors is made
// of, are there from the start: a series that appears with its first error has no rate at that moment.
func (s *scrape) variant(v *Variant) {
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
