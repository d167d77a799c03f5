// Package proxy is the front half of a request's way: it takes clients' connections and requests, decides with the
// router's table where each one goes, hands it to the transport (proxy/upstream), sends the answer back and records what
// happened.
//
// It owns the accept loop, the client connections, the phases of an exchange (guard, match, assign, pick, forward, record,
// answer), the answers that Haldane makes itself, the access log and the drain. It does not own the wire format
// (proxy/http1), the connections to endpoints (proxy/upstream), the choice of a variant (router) or what the numbers
// mean (stats, rollout).
//
// Concurrency: each client connection has one goroutine, which serves one request at a time, or none while it is idle for longer
// (see parking); while a request's body is on its way up, the transport reads it on another one, which has ended when the
// exchange ends. All requests share one
// immutable Snapshot behind an atomic pointer; each takes it once. Swap may be called at any time from one goroutine.
package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"haldane/proxy/listen"
)

// Options are what a Server is made of.
type Options struct {
	// Logger receives what an operator should know. Nil discards it.
	Logger *zap.Logger
	// AccessLogger receives one line per logged request, whatever its level. Nil discards them. Which requests are logged
	// is said by the Snapshot.
	AccessLogger *zap.Logger
	// ProxyProtocol are the balancers whose connections begin with a PROXY protocol header. Empty for none.
	ProxyProtocol listen.Networks
	// TrustedProxies are those whose X-Forwarded-For, -Proto and -Host are believed and extended. Empty for none.
	TrustedProxies listen.Networks
	// Tracer receives the records of sampled requests. Nil traces nothing.
	Tracer Tracer
	// Capacity is how many client connections there are file descriptors for. Zero for no bound but limits.connections.
	Capacity int
}

// Server serves clients.
type Server struct {
	logger  *zap.Logger
	access  *zap.Logger
	bugs    *zap.Logger // for panics: what one client can cause again and again must not fill the disk
	started time.Time
	words   words
	tracer  Tracer // nil without

	proxyProtocol, trustedProxies listen.Networks
	capacity                      int
	census                        *listen.Census

	snapshot atomic.Pointer[Snapshot]
	reader   atomic.Pointer[reader]
	draining atomic.Bool
	shedding atomic.Bool   // memory is short
	cutting  chan struct{} // closed when a drain is to end
	cutOnce  sync.Once

	conns    tracker
	parking  *parking      // nil before Serve, and where there is none
	nextConn atomic.Uint64 // ids of connections
	refusing atomic.Int64  // connections that are being refused
	tunnels  atomic.Int64  // that are open
	awake    atomic.Int64  // connections with a goroutine that waits for requests or serves one
	counters counters

	attendants attendants

	buffers    sync.Pool            // of *[bufferSize]byte
	blocks     sync.Pool            // of *[blockSize]byte
	blocksUsed atomic.Int64         // that are in use
	exchanges  sync.Pool            // of *exchange
	today      atomic.Pointer[date] // the Date of this second
}

// counters are the numbers of the whole server.
type counters struct {
	refused, panics, unmatched, malformed atomic.Uint64

	crowded, unproxied, handshakes, acceptFailures, shed atomic.Uint64
}

// Numbers are the numbers of a Server that belong to no service. All but Connections only grow.
type Numbers struct {
	// Connections is how many client connections are open.
	Connections int
	// RefusedConnections is how many were turned away by limits.connections, or for want of file descriptors.
	RefusedConnections uint64
	// ShedConnections is how many were turned away because memory was short.
	ShedConnections uint64
	// CrowdedConnections is how many were closed by limits.connections_per_client.
	CrowdedConnections uint64
	// UnproxiedConnections is how many came from a balancer without a valid PROXY protocol header.
	UnproxiedConnections uint64
	// FailedHandshakes is how many could not be secured.
	FailedHandshakes uint64
	// AcceptFailures is how often a connection could not even be taken: mostly for want of file descriptors.
	AcceptFailures uint64
	// Panics is how many requests ended in a bug of Haldane's own.
	Panics uint64
	// Unmatched is how many requests belonged to no service.
	Unmatched uint64
	// Malformed is how many requests were refused because of how they were written.
	Malformed uint64
}

const (
	errNoSnapshot  constError = "there is no snapshot to serve from"
	errNoEndpoints constError = "no endpoints"
)

// panicsLogged is how many panics are logged in a second, each with its stack. All are counted.
const panicsLogged = 5

// New makes a Server. It starts nothing. Swap gives it its first Snapshot, and then Serve may be called.
func New(options Options) *Server {
	s := &Server{
		logger:  options.Logger,
		access:  options.AccessLogger,
		started: time.Now(),
		words:   newWords(),
		tracer:  options.Tracer,
		cutting: make(chan struct{}),

		proxyProtocol:  options.ProxyProtocol,
		trustedProxies: options.TrustedProxies,
		capacity:       options.Capacity,
		census:         listen.NewCensus(),

		conns:   tracker{conns: make(map[*clientConn]struct{})},
		buffers: sync.Pool{New: func() any { return new([bufferSize]byte) }},
		blocks:  sync.Pool{New: func() any { return new([blockSize]byte) }},
	}
	s.exchanges.New = func() any { return newExchange(s) }
	if s.logger == nil {
		s.logger = zap.NewNop()
	}
	s.bugs = s.logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, panicsLogged, 0)
	}))
	if s.access == nil {
		s.access = zap.NewNop()
	}
	return s
}

// Swap puts a snapshot in force. Requests that have begun go on with the one they took. Endpoints that the new snapshot no
// longer has are closed: their idle connections at once, the others when their exchange ends. From here on names are looked
// up and health is asked for; Close ends that.
func (s *Server) Swap(next *Snapshot) {
	if r := s.reader.Load(); r == nil || r.headerSize != next.limits.header {
		// For connections that are yet to come, or to come back from the parking: one that is in use keeps its bound.
		s.reader.Store(newReader(s, next.limits.header))
	}
	previous := s.snapshot.Swap(next)
	s.attendants.replace(previous, next)
}

// Close closes the idle connections to endpoints, and stops looking after them. It is for after Serve.
func (s *Server) Close() {
	if last := s.snapshot.Load(); last != nil {
		s.attendants.replace(last, nil)
	}
	s.attendants.wait.Wait()
}

// Numbers are the server's own numbers as they are now.
func (s *Server) Numbers() Numbers {
	return Numbers{
		Connections:        s.conns.len(),
		RefusedConnections: s.counters.refused.Load(),
		Panics:             s.counters.panics.Load(),
		Unmatched:          s.counters.unmatched.Load(),
		Malformed:          s.counters.malformed.Load(),

		ShedConnections:      s.counters.shed.Load(),
		CrowdedConnections:   s.counters.crowded.Load(),
		UnproxiedConnections: s.counters.unproxied.Load(),
		FailedHandshakes:     s.counters.handshakes.Load(),
		AcceptFailures:       s.counters.acceptFailures.Load(),
	}
}

// panicked reports a bug. The cause may hold bytes of a request, the stack does not.
func (s *Server) panicked(cause any, stack []byte) {
	s.counters.panics.Add(1)
	s.bugs.Error("panic while serving a request", zap.Any("cause", cause), zap.ByteString("stack", stack))
}

// clock is the time since the server was made, in nanoseconds, for times that are shared between goroutines.
func (s *Server) clock() int64 { return int64(time.Since(s.started)) }
