package config

import (
	"errors"
	"strings"
	"time"
)

const (
	// mostAttempts bounds retries: what failed six times will fail again.
	mostAttempts = 5
	// mostRescueBody bounds what one request may keep in memory to be rescued.
	mostRescueBody = Bytes(16 << 20)
	// shortestPause is the shortest time between two looks at an endpoint or its name.
	shortestPause = Duration(100 * time.Millisecond)
	// longestEjection is the time that ejections grow to.
	longestEjection = Duration(5 * time.Minute)
	// firstFailure is the first status that says that something failed (RFC 9110 section 15).
	firstFailure = 400
)

// upstream checks how the endpoints of a variant are reached and cared for.
func (v *validator) upstream(x *Variant, at place) {
	v.atLeast(at.key("max_connections"), x.MaxConnections, 1)
	v.atLeast(at.key("queue").key("size"), x.Queue.Size, 0)
	v.positive(at.key("queue").key("timeout"), x.Queue.Timeout)
	v.notBelow(at.key("resolve"), x.Resolve, shortestPause)
	if x.TLS != nil {
		v.variantTLS(x.TLS, at.key("tls"))
	}
	if x.Health != nil {
		v.health(x.Health, at.key("health"))
	}
	v.ejection(&x.Ejection, at.key("ejection"))
	v.notNegative(at.key("slow_start"), x.SlowStart)
}

func (v *validator) variantTLS(t *VariantTLS, at place) {
	if t.ServerName != "" && !isHost(t.ServerName) {
		v.problems.wrong(at.key("server_name"), "expected a host name without a port, got %q", t.ServerName)
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		v.problems.wrong(at, "cert_file needs the key_file that goes with it")
	case t.KeyFile != "" && t.CertFile == "":
		v.problems.wrong(at, "key_file needs the cert_file that goes with it")
	}
	if t.InsecureSkipVerify && t.CAFile != "" {
		v.problems.wrong(at, "insecure_skip_verify and ca_file exclude each other: either any certificate is taken or it is verified")
	}
}

func (v *validator) health(h *Health, at place) {
	if h.Path != "" {
		v.check(at.key("path"), target(h.Path))
	}
	switch {
	case h.Host != "" && h.Path == "":
		v.problems.wrong(at.key("host"), "host needs path: without one only a connection is opened")
	case h.Host != "":
		v.check(at.key("host"), hostField(h.Host))
	}
	if len(h.Statuses) == 0 {
		v.problems.wrong(at.key("statuses"), "at least one good status is required")
	}
	v.statuses(at.key("statuses"), h.Statuses, firstStatus)
	v.notBelow(at.key("interval"), h.Interval, shortestPause)
	v.positive(at.key("timeout"), h.Timeout)
	v.atLeast(at.key("healthy"), h.Healthy, 1)
	v.atLeast(at.key("unhealthy"), h.Unhealthy, 1)
}

// target checks the target of a request that Haldane makes: a path with or without a query.
func target(text string) error {
	before, query, _ := strings.Cut(text, "?")
	if err := path(before); err != nil {
		return err
	}
	if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
		return errors.New("a query is sent as it is written: write spaces and other characters percent-encoded")
	}
	return nil
}

func (v *validator) ejection(e *Ejection, at place) {
	v.atLeast(at.key("failures"), e.Failures, 0)
	if e.Time <= 0 || e.Time > longestEjection {
		v.problems.wrong(at.key("time"), "expected a duration above zero and up to %s, got %s", longestEjection, e.Time)
	}
}

// statuses checks ranges of statuses, none of which may begin before least.
func (v *validator) statuses(at place, ranges []StatusRange, least int) {
	for i, r := range ranges {
		switch in := at.item(i); {
		case r.Low == 0: // left empty: what is written is read as 100 and more
			v.problems.wrong(in, "a status is missing here")
		case r.Low < least:
			v.problems.wrong(in, "expected statuses from %d to %d, got %s", least, lastStatus, r)
		}
	}
}

// care checks what a service does about requests that fail, that are too many and that do not end.
func (v *validator) care(s *Service, at place) {
	for i, prefix := range s.LongPolls {
		v.check(at.key("long_polls").item(i), path(prefix))
	}
	v.retries(&s.Retries, at.key("retries"))
	if s.Rescue != nil {
		v.rescue(s.Rescue, at.key("rescue"))
	}
	v.serviceLimits(&s.Limits, at.key("limits"))
	v.notNegative(at.key("tunnels").key("idle"), s.Tunnels.Idle)
}

func (v *validator) retries(r *Retries, at place) {
	if r.Attempts < 0 || r.Attempts > mostAttempts {
		v.problems.wrong(at.key("attempts"), "expected 0 to %d, got %d", mostAttempts, r.Attempts)
	}
	v.atLeast(at.key("min_concurrent"), r.MinConcurrent, 0)
}

func (v *validator) rescue(r *Rescue, at place) {
	v.statuses(at.key("statuses"), r.Statuses, firstFailure)
	if r.BodySize > mostRescueBody {
		v.problems.wrong(at.key("body_size"), "expected at most %s, which each rescued request may hold in memory, got %s",
			mostRescueBody, r.BodySize)
	}
}

func (v *validator) serviceLimits(l *ServiceLimits, at place) {
	v.atLeast(at.key("requests"), l.Requests, 0)
	v.atLeast(at.key("queue"), l.Queue, 0)
	v.atLeast(at.key("per_client"), l.PerClient, 0)
	v.positive(at.key("queue_timeout"), l.QueueTimeout)
	if l.Queue > 0 && l.Requests == 0 {
		v.problems.wrong(at.key("queue"), "queue needs requests: without that bound nobody has to wait")
	}
}
