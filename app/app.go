// Package app puts Haldane together: it is the only room that knows all others.
//
// It owns the life of the process: build everything, start it, reload the configuration, stop in order. It decides nothing
// about requests or rollouts. Tests and benchmarks start the real thing here.
//
// Concurrency: Run blocks and owns every goroutine it starts. Reload may be called from any goroutine; reloads and
// split changes take turns, and readers of the table never wait for them.
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"haldane/admin"
	"haldane/config"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/stats"
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
}

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

	listener net.Listener
	draining atomic.Bool

	reloading sync.Mutex                    // one reload at a time
	started   *config.Config                // the configuration of the start: what needs a restart is as it says
	current   atomic.Pointer[config.Config] // the configuration in force
	outcome   atomic.Pointer[reloadOutcome] // of the last reload
}

// New builds everything from the configuration and opens the listeners, so that an address in use is found before anything
// runs. It starts nothing. On an error nothing is left open.
func New(options Options) (*App, error) {
	// The watcher looks at the file before it is read, so that no change falls in between.
	a := &App{options: options, logger: options.Logger, watcher: config.NewWatcher(options.ConfigPath)}
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
	if err := a.build(cfg); err != nil {
		return err
	}
	if err := a.listen(cfg); err != nil {
		return err
	}
	a.started = cfg
	return a.apply(cfg) // last: from here on a rollout may have begun
}

// Address is where clients connect.
func (a *App) Address() net.Addr { return a.listener.Addr() }

// AdminAddress is where operators connect, or nil when that listener is off.
func (a *App) AdminAddress() net.Addr { return a.admin.Addr() }

// Rollouts is the rollouts of this process, for those who run it in their own.
func (a *App) Rollouts() *rollout.Manager { return a.manager }

// Stats is the numbers of this process.
func (a *App) Stats() *stats.Registry { return a.stats }

// Run serves until the context ends, then drains: readiness goes first, then the client listener, then the requests in
// flight, then the rollouts are stored, and the admin side last, so that a drain can be watched. It returns nil after a
// clean drain.
func (a *App) Run(ctx context.Context) error {
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	managerCtx, stopManager := context.WithCancel(context.WithoutCancel(ctx))
	defer stopManager()
	serveCtx, stopServing := context.WithCancel(ctx)
	defer stopServing()

	managing := start("rollouts", func() error { return a.manager.Run(managerCtx) })
	administering := start("admin", func() error { return a.admin.Run(adminCtx) })
	watching := start("configuration watcher", func() error { return a.watcher.Run(serveCtx, a.fileChanged) })
	serving := start("proxy", func() error { return a.proxy.Serve(serveCtx, proxy.Entrance{Listener: a.listener}) })

	var failed error
	select {
	case failed = <-serving:
		serving <- nil
	case failed = <-managing:
		managing <- nil
	case failed = <-administering:
		administering <- nil
	case <-ctx.Done():
	}
	a.draining.Store(true)
	a.logger.Info("draining", zap.Duration("limit", time.Duration(a.current.Load().Timeouts.Drain)))
	stopServing()
	failed = errors.Join(failed, <-serving, <-watching)
	stopManager()
	failed = errors.Join(failed, <-managing)
	stopAdmin()
	failed = errors.Join(failed, <-administering)
	failed = errors.Join(failed, a.closers.close())
	a.logger.Info("stopped", zap.Error(failed))
	return failed
}

// Close releases what New opened, for an App that is never run.
func (a *App) Close() error { return a.closers.close() }

// ready says why the process should get no traffic now; nil when it should.
func (a *App) ready() error {
	if a.draining.Load() {
		return errors.New("draining")
	}
	return nil
}

// start runs one part in a goroutine of its own and gives back where its error arrives. The channel holds one value, so
// that a part that ended early can be waited for again.
func start(name string, run func() error) chan error {
	done := make(chan error, 1)
	go func() {
		err := run()
		if err != nil && !errors.Is(err, context.Canceled) {
			done <- fmt.Errorf("%s: %w", name, err)
			return
		}
		done <- nil
	}()
	return done
}
