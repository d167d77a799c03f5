package app

import (
	"sync"

	"haldane/config"
	"haldane/proxy"
	"haldane/report"
	"haldane/rollout"
	"haldane/stats"
)

// witness knows what the report of a rollout tells about single requests and endpoints. What it knows dies with the process: after
// a restart in the middle of a rollout it tells of the rest of it.
type witness struct {
	stats         *stats.Registry
	endpoints     func(service string) []proxy.VariantEndpoints
	configuration func() *config.Config // nil before the first

	mu     sync.Mutex
	before map[string]map[place]deeds // guarded by mu: by service, what had been counted when the attempt began
}

// place is an endpoint of a service.
type place struct{ variant, name, address string }

// deeds is what an endpoint has done.
type deeds struct{ requests, failed uint64 }

// Listen begins anew for a service.
func (w *witness) Listen(service string) {
	w.stats.Service(service).Samples().Reset()
	before := map[place]deeds{}
	for _, v := range w.endpoints(service) {
		for i := range v.Endpoints {
			e := &v.Endpoints[i]
			before[place{v.Variant, e.Name, e.Address}] = deeds{e.Requests, e.Failed}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before == nil {
		w.before = map[string]map[place]deeds{}
	}
	w.before[service] = before
}

// Testify tells what was seen of a service since.
func (w *witness) Testify(service, id string) rollout.Testimony {
	var t rollout.Testimony
	if c := w.configuration(); c != nil {
		t.Configuration = c.Hash()
	}
	samples := w.stats.Service(service).Samples().Of(id)
	for i := range samples {
		t.Failures = append(t.Failures, failure(&samples[i]))
	}
	w.mu.Lock()
	before := w.before[service]
	w.mu.Unlock()
	for _, v := range w.endpoints(service) {
		for i := range v.Endpoints {
			e := &v.Endpoints[i]
			was := before[place{v.Variant, e.Name, e.Address}]
			t.Endpoints = append(t.Endpoints, report.Endpoint{
				Variant: v.Variant, Name: e.Name, Address: e.Address,
				Requests: since(e.Requests, was.requests), Failed: since(e.Failed, was.failed),
			})
		}
	}
	return t
}

// since is what was counted after an earlier look. A count that begins anew, because other settings made another endpoint of the
// same address, has counted all of it since.
func since(now, before uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}

// failure is a sample as a report shows it.
func failure(s *stats.Sample) report.Failure {
	scheme := "http://"
	if s.Secured {
		scheme = "https://"
	}
	f := report.Failure{
		Time: s.Time, Took: config.Duration(s.Took), Method: s.Method, URL: scheme + s.Authority + s.Target, Cut: s.Cut, Body: s.Body,
		Outcome: s.Outcome.String(), Status: s.Status, Stalled: s.Stalled, Endpoint: s.Endpoint, RequestID: s.RequestID,
	}
	for _, field := range s.Fields {
		f.Fields = append(f.Fields, report.Field(field))
	}
	f.Curl = f.Repeat()
	return f
}
