package rollout

import (
	"haldane/report"
)

// Witness knows what a report tells beside what was judged. It is asked while a rollout ends, after the canary was taken out of
// service where it is, so it must not block.
type Witness interface {
	// Listen begins anew for a service: an attempt begins.
	Listen(service string)
	// Testify is what was seen since. rollout is the id that the attempt's split has.
	Testify(service, rollout string) Testimony
}

// Testimony is what a witness has to say. Nothing of it decides anything.
type Testimony struct {
	// Endpoints are those of all variants of the service.
	Endpoints []report.Endpoint
	// Failures are examples of failed requests of the canary.
	Failures []report.Failure
	// Configuration is the hash of the configuration in force.
	Configuration string
}

// listen tells all who tell of an attempt that one begins.
func (m *Manager) listen(r *runner) {
	m.keepRecording(r)
	if m.options.Witness != nil {
		m.options.Witness.Listen(r.name)
	}
}

// testimony asks the witness about the attempt that ends.
func (m *Manager) testimony(s *State) Testimony {
	if m.options.Witness == nil {
		return Testimony{}
	}
	return m.options.Witness.Testify(s.Spec.Service, drawID(s.ID, s.Attempt))
}

// complete adds the testimony to a report. Endpoints of variants that took no part in the rollout are left out.
func (t *Testimony) complete(r *report.Report) {
	r.Configuration, r.Failures = t.Configuration, t.Failures
	for _, v := range r.Variants {
		for _, e := range t.Endpoints {
			if e.Variant == v.Name {
				e.Role = v.Role
				r.Endpoints = append(r.Endpoints, e)
			}
		}
	}
}
