package app

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"haldane/admin"
	"haldane/config"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/stats"
	"haldane/store"
)

// build makes the parts.
func (a *App) build(cfg *config.Config) error {
	if err := os.MkdirAll(cfg.State.Directory, 0o700); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	states, err := openStore(cfg.State)
	if err != nil {
		return err
	}
	a.closers.add("state store", states.Close)

	a.stats = stats.NewRegistry(0)
	a.proxy = proxy.New(proxy.Options{Logger: a.logger.Named("proxy"), AccessLogger: a.logger.Named("access")})
	a.closers.add("connections to endpoints", func() error { a.proxy.Close(); return nil })
	a.process = stats.NewProcess(a.options.Version, a.front)
	a.splits = &splits{proxy: a.proxy}
	a.manager, err = rollout.NewManager(rollout.Options{
		Store:    states,
		Stats:    a.stats,
		Splitter: a.splits,
		Logger:   a.logger.Named("rollout"),
	})
	if err != nil {
		return fmt.Errorf("restore the rollouts: %w", err)
	}
	return nil
}

// openStore opens where rollouts are remembered.
func openStore(cfg config.State) (store.Store, error) {
	if cfg.Store == "memory" {
		return store.NewMemory(), nil
	}
	states, err := store.OpenFile(filepath.Join(cfg.Directory, "haldane.db"))
	if err != nil {
		return nil, fmt.Errorf("open the state store: %w", err)
	}
	return states, nil
}

// listen opens the client and the admin listeners.
func (a *App) listen(cfg *config.Config) error {
	listener, err := net.Listen("tcp", cfg.Listen.Address)
	if err != nil {
		return fmt.Errorf("listen for clients: %w", err)
	}
	a.listener = listener
	a.closers.add("client listener", func() error {
		_ = listener.Close() // the proxy has closed it when it ran
		return nil
	})
	gatherer, err := a.gatherer()
	if err != nil {
		return err
	}
	a.admin, err = admin.New(admin.Options{
		Config:        cfg.Admin,
		Exposure:      a.options.Exposure,
		Rollouts:      a.manager,
		Services:      a.services,
		Gatherer:      gatherer,
		Ready:         a.ready,
		Reload:        a.Reload,
		Configuration: a.configuration,
		Version:       a.options.Version,
		Logger:        a.logger.Named("admin"),
	})
	if err != nil {
		return err
	}
	if err := a.admin.Listen(); err != nil {
		return err
	}
	a.closers.add("admin listeners", a.admin.Close)
	return nil
}

// gatherer is the source of /metrics.
func (a *App) gatherer() (prometheus.Gatherer, error) {
	registry := prometheus.NewRegistry()
	parts := []prometheus.Collector{
		stats.NewCollector(a.stats, a.process, statuses{a.manager}),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	for _, part := range parts {
		if err := registry.Register(part); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return registry, nil
}

// logStart says once what the process is.
func (a *App) logStart(cfg *config.Config) {
	a.logger.Info("listening",
		zap.String("version", a.options.Version),
		zap.Stringer("address", a.listener.Addr()),
		zap.String("config", a.options.ConfigPath),
		zap.Int("services", len(cfg.Services)))
}
