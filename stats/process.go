package stats

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Front is the numbers of the client side that belong to no service.
type Front struct {
	// Connections is how many client connections are open.
	Connections int
	// RefusedConnections is how many were turned away for want of room.
	RefusedConnections uint64
	// Unmatched counts requests that belong to no service, Malformed those that were refused because of how they were
	// written, Panics those that ended in a bug of our own.
	Unmatched, Malformed, Panics uint64
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
	s.count(familyRefusedConnections, front.RefusedConnections)
	s.count(familyUnmatched, front.Unmatched)
	s.count(familyMalformed, front.Malformed)
	s.count(familyPanics, front.Panics)
}
