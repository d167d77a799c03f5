package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"haldane/admin/ui"
)

const (
	// headerTimeout is how long a client may take to send the head of a request.
	headerTimeout = 5 * time.Second
	// readTimeout is how long it may take to send the whole request.
	readTimeout = 15 * time.Second
	// writeTimeout is how long an answer may take, the scrape of a large process included. The event stream sets its own.
	writeTimeout = 30 * time.Second
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 60 * time.Second
	// headerBytes bounds the head of a request.
	headerBytes = 16 << 10
	// stopTimeout is how long a stopping server waits for answers in flight.
	stopTimeout = 5 * time.Second
	// refusalsLogged is how many refused requests are logged in a second.
	refusalsLogged = 10
	// subscription is how many events may wait for the pump, which does nothing but file them.
	subscription = 256
)

// Server is the admin side of one process.
type Server struct {
	options  Options
	hub      *hub
	board    *board
	once     *once
	pages    http.Handler // of the dashboard
	refusals *zap.Logger  // the log for what strangers can cause

	profiling sync.Mutex // one profile over time at a time

	mu      sync.Mutex
	entries []*entry // what Listen opened and nobody has closed
	address net.Addr // of the TCP listener, also once it is closed
	open    Listeners
	socket  *socket // nil without one
}

// entry is one open listener and its server.
type entry struct {
	listener net.Listener
	server   *http.Server
	tls      *tls.Config // nil: plain
	tcp      bool
}

// New prepares the admin side. It opens nothing and starts nothing.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	s := &Server{options: options, hub: newHub(ringSize), once: newOnce(), refusals: options.Logger.WithOptions(zap.WrapCore(sparse))}
	s.board = newBoard(&s.options)
	s.pages = ui.New(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, refuse(http.StatusNotFound, "there is nothing at this path"))
	}, takesGzip)
	return s, nil
}

// sparse keeps the first few lines of each kind in a second.
func sparse(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Second, refusalsLogged, 0)
}

// Listen opens the listeners that the configuration asks for, and makes the token when there is none. After an error
// nothing is open.
func (s *Server) Listen() error {
	opened, err := s.openAll()
	if err != nil {
		for _, e := range opened {
			err = errors.Join(err, e.listener.Close())
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, opened...)
	for _, e := range opened {
		if e.tcp {
			s.address, s.open.TCP = e.listener.Addr(), e.listener
		}
		if socket, ok := e.listener.(*socket); ok {
			s.socket, s.open.Socket = socket, socket.Listener
		}
	}
	return nil
}

// openAll opens TCP first: its port is exclusive, so that of two processes that start together only one comes to the socket.
func (s *Server) openAll() (opened []*entry, err error) {
	if s.options.Config.Address != off {
		e, err := s.openTCP()
		if err != nil {
			return nil, err
		}
		opened = append(opened, e)
		s.options.Logger.Info("admin listens", zap.Stringer("address", e.listener.Addr()), zap.Bool("tls", e.tls != nil))
	}
	if path := s.options.Config.Socket; path != off {
		listener, err := adoptSocket(s.options.Listeners.Socket), error(nil)
		if listener == nil {
			listener, err = listenSocket(path)
		}
		if err != nil {
			return opened, err
		}
		opened = append(opened, s.newEntry(listener, socketDoor()))
		s.options.Logger.Info("admin listens", zap.String("socket", path))
	}
	return opened, nil
}

// openTCP checks what the address demands before it opens it.
func (s *Server) openTCP() (*entry, error) {
	section := s.options.Config
	address, err := resolve(section.Address)
	if err != nil {
		return nil, err
	}
	var config *tls.Config
	if section.TLS != nil {
		certificate, err := tls.LoadX509KeyPair(section.TLS.CertFile, section.TLS.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("load the admin certificate: %w", err)
		}
		config = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	if !address.IP.IsLoopback() && config == nil && s.options.Exposure != Insecure {
		return nil, fmt.Errorf("admin address %s is not loopback and has no certificate: set admin.tls, use 127.0.0.1, "+
			"or start with --insecure-admin", section.Address)
	}
	unlock, err := loadKeys(section)
	if err != nil {
		return nil, err
	}
	listener := s.options.Listeners.TCP
	if listener == nil {
		if listener, err = listenTCP(address); err != nil {
			return nil, err
		}
	}
	d := tcpDoor(section, listener.Addr(), config, unlock)
	d.admit(s.options.Links)
	e := s.newEntry(listener, d)
	e.tls, e.tcp = config, true
	return e, nil
}

// newEntry puts a server with our limits behind a listener.
func (s *Server) newEntry(listener net.Listener, d *door) *entry {
	errorLog, err := zap.NewStdLogAt(s.options.Logger, zap.DebugLevel) // mostly broken handshakes and scanners
	if err != nil {
		errorLog = nil // cannot happen: the level is a constant
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // not HTTP/2: there a connection is many requests, and our limits count connections
	return &entry{listener: listener, server: &http.Server{
		Handler:           s.enter(d, s.newRoutes(d)),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ConnContext:       d.guests.arrive,
		ConnState:         d.guests.watch,
		Protocols:         protocols,
		ErrorLog:          errorLog,
	}}
}

// Addr is where the TCP listener listens, or nil when Listen opened none.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Close closes the listeners of a Server that is never run. Run does so by itself.
func (s *Server) Close() error {
	var errs []error
	for _, e := range s.take() {
		if err := e.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// take hands the listeners over to whoever closes them.
func (s *Server) take() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := s.entries
	s.entries = nil
	return entries
}

// Run serves until the context ends, then ends the event streams, waits a little for answers in flight, and returns nil.
// It returns early with an error when a listener breaks.
func (s *Server) Run(ctx context.Context) error {
	events, unsubscribe := s.options.Rollouts.Subscribe(subscription)
	defer unsubscribe()
	entries := s.take()
	var group sync.WaitGroup
	defer group.Wait()
	pumping, stopPump := context.WithCancel(context.Background())
	defer stopPump()
	group.Go(func() { s.pump(pumping, events) })
	group.Go(func() { s.board.run(pumping) })
	broken := make(chan error, len(entries))
	for _, e := range entries {
		group.Go(func() { broken <- e.serve() })
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-broken:
	}
	s.hub.close()
	for _, e := range entries {
		failed = errors.Join(failed, e.stop())
	}
	return failed
}

// serve answers until the server is stopped.
func (e *entry) serve() error {
	var err error
	if e.tls != nil {
		e.server.TLSConfig = e.tls
		err = e.server.ServeTLS(e.listener, "", "")
	} else {
		err = e.server.Serve(e.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve admin on %s: %w", e.listener.Addr(), err)
}

// stop lets answers in flight finish, and cuts off those that take too long.
func (e *entry) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return e.server.Close()
	}
	return err
}
