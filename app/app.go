// Package app puts Haldane together: it is the only room that knows all others.
//
// It owns the life of the process: build everything, start it, reload the configuration, stop in order. It decides nothing
// about requests or rollouts. Tests and benchmarks start the real thing here.
//
// Concurrency: Run blocks and owns every goroutine it starts. Reload may be called from any goroutine; reloads and
// split changes take turns, and readers of the table never wait for them.
package app

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"haldane/admin"
	"haldane/app/handover"
	"haldane/app/systemd"
	"haldane/config"
	"haldane/hooks"
	"haldane/metrics"
	"haldane/notify"
	"haldane/proxy"
	"haldane/proxy/listen"
	"haldane/rollout"
	"haldane/stats"
	"haldane/tracing"
)

// Options says what to build.
type Options struct {
	// ConfigPath is the configuration file. Required.
	ConfigPath string
	// Getenv looks up variables for the configuration; nil knows none.
	Getenv func(string) (string, bool)
	// Logger receives the process log. Nil makes one from the configuration, on standard error.
	Logger *zap.Logger
	// Version is shown by the API and the metrics.
	Version string
	// Exposure is admin.Guarded unless the operator asked for an open admin listener.
	Exposure admin.Exposure
	// Start is TakeOver for a process that is to take the place of a running one.
	Start Start
}

// Start says how a process begins.
type Start uint8

const (
	// Fresh (the zero value) opens everything itself, and fails where something is in use.
	Fresh Start = iota
	// TakeOver takes the sockets and the rollouts of the process that runs with the same admin socket, if there is one.
	TakeOver
)

// App is one running Haldane.
type App struct {
	options Options
	logger  *zap.Logger
	stats   *stats.Registry
	process *stats.Process
	proxy   *proxy.Server
	manager *rollout.Manager
	admin   *admin.Server
	watcher *config.Watcher
	splits  *splits
	closers closers

	asker     *metrics.Asker
	notices   *notify.Notifier
	hooks     *hooks.Runner
	links     *admin.Links // nil without
	operators *operators
	states    *custody
	keychain  *listen.Keychain // nil without TLS
	notifier  systemd.Notifier
	memory    *memory // nil without a limit
	tracer    *tracing.Tracer

	inherited *inherited
	sockets   []handover.Socket // those of the entrances
	entrances []proxy.Entrance
	secured   net.Addr        // of TLS; nil without
	claim     *handover.Claim // on the place of another process; nil without

	successors chan *net.UnixConn // processes that want this one's place
	leaving    chan struct{}      // closed when nobody can have it any more
	cutting    chan struct{}      // closed when a drain is to end
	cutOnce    sync.Once
	draining   atomic.Bool

	drilling  sync.Mutex                    // one drill at a time
	reloading sync.Mutex                    // one reload at a time
	released  bool                          // guarded by reloading: another process has the rollouts
	started   *config.Config                // the configuration of the start: what needs a restart is as it says
	current   atomic.Pointer[config.Config] // the configuration in force
	rendered  atomic.Pointer[rendered]      // of the configuration that was shown last
	outcome   atomic.Pointer[reloadOutcome] // of the last reload
}

// New builds everything from the configuration and opens the listeners, so that an address in use is found before anything
// runs. It starts nothing. On an error nothing is left open.
func New(options Options) (*App, error) {
	// The watcher looks at the file before it is read, so that no change falls in between.
	a := &App{
		options: options, logger: options.Logger, watcher: config.NewWatcher(options.ConfigPath),
		successors: make(chan *net.UnixConn), leaving: make(chan struct{}), cutting: make(chan struct{}),
	}
	if options.Getenv != nil {
		a.notifier = systemd.NewNotifier(options.Getenv)
	}
	cfg, err := config.Load(options.ConfigPath, options.Getenv)
	if err != nil {
		return nil, err
	}
	if err := a.open(cfg); err != nil {
		return nil, errors.Join(err, a.closers.close())
	}
	a.logStart(cfg)
	return a, nil
}

// open makes the log, the parts and the listeners.
func (a *App) open(cfg *config.Config) error {
	if a.logger == nil {
		logger, err := newLogger(cfg.Log)
		if err != nil {
			return err
		}
		a.logger = logger
	}
	a.started = started(cfg)
	for _, step := range []func(*config.Config) error{a.claimPlace, a.enter, a.awaitStore, a.build, a.listen} {
		if err := step(cfg); err != nil {
			return err
		}
	}
	return a.apply(cfg) // last: from here on a rollout may have begun
}

// started is what is kept of the configuration of the start: not its services, which may be many.
func started(cfg *config.Config) *config.Config {
	kept := *cfg
	kept.Services = nil
	return &kept
}

// Address is where clients connect.
func (a *App) Address() net.Addr { return a.sockets[0].Listener.Addr() }

// SecureAddress is where clients connect over TLS, or nil without it.
func (a *App) SecureAddress() net.Addr { return a.secured }

// AdminAddress is where operators connect, or nil when that listener is off.
func (a *App) AdminAddress() net.Addr { return a.admin.Addr() }

// Rollouts is the rollouts of this process, for those who run it in their own.
func (a *App) Rollouts() *rollout.Manager { return a.manager }

// Stats is the numbers of this process.
func (a *App) Stats() *stats.Registry { return a.stats }

// Close releases what New opened, for an App that is never run.
func (a *App) Close() error { return a.closers.close() }

// ready says why the process should get no traffic now; nil when it should.
func (a *App) ready() error {
	if a.draining.Load() {
		return errors.New("draining")
	}
	return nil
}
