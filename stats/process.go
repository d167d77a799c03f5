package stats

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Front is the numbers of the proxy that are not counted per request.
type Front struct {
	// Connections is how many client connections are open.
	Connections int
	// Refused is how many were turned away before their first request.
	Refused Refused
	// AcceptFailures is how often a connection could not be taken.
	AcceptFailures uint64
	// Certificates are those that clients are shown.
	Certificates []Certificate
	// CertificatesTaken and CertificatesRefused count the changed files of certificates that were put in use or not.
	CertificatesTaken, CertificatesRefused uint64
	// Notifications are the targets of notifications.
	Notifications []Notifications
	// Hooks are the webhooks that are asked about rollouts.
	Hooks []Hook
	// Questions is how often a Prometheus was asked for a business metric, QuestionsFailed how often there was no answer.
	Questions, QuestionsFailed uint64
	// Spans are those of sampled requests.
	Spans Spans
	// StoreFailures is how often the state of rollouts could not be stored; StateLost says that what was stored before the
	// start could not be used.
	StoreFailures uint64
	StateLost     bool
	// Shedding says that new requests are turned away because memory is short.
	Shedding bool
	// Unmatched counts requests that belong to no service, Malformed those that were refused because of how they were
	// written, Panics those that ended in a bug of our own.
	Unmatched, Malformed, Panics uint64
	// Endpoints are the endpoints of each variant.
	Endpoints []Endpoints
}

// Spans counts spans by what became of them: a collector has taken them, they did not fit the queue, or no collector took them.
type Spans struct{ Sent, Dropped, Failed uint64 }

// Refused counts connections that were turned away, by reason.
type Refused struct {
	// Limit is for want of room, PerClient because the client has too many, ProxyProtocol because a balancer did not say for
	// whom it speaks, TLS because the handshake failed.
	Limit, PerClient, ProxyProtocol, TLS uint64
	// Memory is because memory was short.
	Memory uint64
}

// Certificate is a certificate in use.
type Certificate struct {
	// File is where it was read from.
	File string
	// Expires is when it stops being good.
	Expires time.Time
}

// Notifications is the numbers of one target of notifications.
type Notifications struct {
	// Target is its name.
	Target string
	// Results counts messages and attempts to send one, by what became of them.
	Results map[string]uint64
	// Queued is how many messages wait.
	Queued int
	// LastSuccess is when one was taken last; zero for never.
	LastSuccess time.Time
}

// Process is the numbers of the process itself. It may be used by several goroutines.
type Process struct {
	version, revision, goversion string
	front                        func() Front

	mu               sync.Mutex
	successful       bool      // guarded by mu, like what follows: the last configuration read is in force
	loaded           time.Time // when one was last put in force
	applied, refused uint64
}

// NewProcess makes the numbers of a process that has read no configuration yet. version is the product's; the revision of
// the source is the one the Go toolchain noted in the binary, or "unknown". front is asked at each scrape.
func NewProcess(version string, front func() Front) *Process {
	p := &Process{version: version, revision: "unknown", goversion: runtime.Version(), front: front}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			p.revision = setting.Value
		}
	}
	return p
}

// Reloaded notes that a configuration was put in force (a nil error) or refused, at the start and at each reload.
func (p *Process) Reloaded(now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.successful = err == nil
	if err != nil {
		p.refused++
		return
	}
	p.applied++
	p.loaded = now
}

// state is a copy of the numbers.
func (p *Process) state() (successful bool, loaded time.Time, applied, refused uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.successful, p.loaded, p.applied, p.refused
}

// process emits the numbers of the process.
func (s *scrape) process(p *Process) {
	successful, loaded, applied, refused := p.state()
	var seconds float64
	if !loaded.IsZero() {
		seconds = float64(loaded.UnixMilli()) / 1e3
	}
	s.gauge(familyBuild, 1, p.version, p.revision, p.goversion)
	s.gauge(familyReloadSuccessful, indicator(successful))
	s.gauge(familyReloadTime, seconds)
	s.count(familyReloads, applied, "success")
	s.count(familyReloads, refused, "failure")
	front := p.front()
	s.gauge(familyConnections, float64(front.Connections))
	s.refused(front.Refused)
	s.count(familyAcceptFailures, front.AcceptFailures)
	s.certificates(&front)
	s.notifications(front.Notifications)
	s.hooks(front.Hooks)
	s.count(familyQuestions, front.Questions-min(front.Questions, front.QuestionsFailed), "success")
	s.count(familyQuestions, front.QuestionsFailed, "failure")
	s.count(familySpans, front.Spans.Sent, "sent")
	s.count(familySpans, front.Spans.Dropped, "dropped")
	s.count(familySpans, front.Spans.Failed, "failed")
	s.count(familyStoreFailures, front.StoreFailures)
	s.gauge(familyStateLost, indicator(front.StateLost))
	s.gauge(familyShedding, indicator(front.Shedding))
	s.count(familyUnmatched, front.Unmatched)
	s.count(familyMalformed, front.Malformed)
	s.count(familyPanics, front.Panics)
	for i := range front.Endpoints {
		s.endpoints(&front.Endpoints[i])
	}
	s.quiet = false
}

// refused emits why connections were turned away.
func (s *scrape) refused(r Refused) {
	s.count(familyRefusedConnections, r.Limit, "limit")
	s.count(familyRefusedConnections, r.Memory, "memory")
	s.count(familyRefusedConnections, r.PerClient, "per_client")
	s.count(familyRefusedConnections, r.ProxyProtocol, "proxy_protocol")
	s.count(familyRefusedConnections, r.TLS, "tls")
}

// certificates emits what is known of the certificates that clients are shown. A file that is named twice is one.
func (s *scrape) certificates(front *Front) {
	shown := make(map[string]bool, len(front.Certificates))
	for _, c := range front.Certificates {
		if !shown[c.File] {
			shown[c.File] = true
			s.gauge(familyCertificateExpiry, float64(c.Expires.Unix()), c.File)
		}
	}
	s.count(familyCertificateReloads, front.CertificatesTaken, "success")
	s.count(familyCertificateReloads, front.CertificatesRefused, "failure")
}

// notifications emits what became of notifications. The time of a target that never took one is zero, so that it is old.
func (s *scrape) notifications(targets []Notifications) {
	for _, t := range targets {
		for _, result := range sorted(t.Results) {
			s.count(familyNotifications, t.Results[result], t.Target, result)
		}
		s.gauge(familyNotificationsQueued, float64(t.Queued), t.Target)
		var seconds float64
		if !t.LastSuccess.IsZero() {
			seconds = float64(t.LastSuccess.UnixMilli()) / 1e3
		}
		s.gauge(familyNotificationSuccess, seconds, t.Target)
	}
}
