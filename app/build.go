package app

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"haldane/admin"
	"haldane/app/handover"
	"haldane/config"
	"haldane/hooks"
	"haldane/metrics"
	"haldane/notify"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/stats"
	"haldane/tracing"
)

// build makes the parts.
func (a *App) build(cfg *config.Config) error {
	if err := os.MkdirAll(cfg.State.Directory, 0o700); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	states, err := newCustody(cfg.State)
	if err != nil {
		return fmt.Errorf("open the state store: %w", err)
	}
	a.states = states
	a.closers.add("state store", states.Close)

	a.stats = stats.NewRegistry(0)
	options, err := a.proxyOptions(cfg)
	if err != nil {
		return err
	}
	a.tracer = tracing.New(tracing.Options{Version: a.options.Version, Logger: a.logger.Named("tracing")})
	options.Tracer = a.tracer
	a.proxy = proxy.New(options)
	a.memory = newMemory(os.DirFS("/"), a.proxy, a.logger.Named("memory"))
	a.closers.add("connections to endpoints", func() error { a.proxy.Close(); return nil })
	a.process = stats.NewProcess(a.options.Version, a.front)
	a.splits = &splits{proxy: a.proxy}
	a.manager, err = rollout.NewManager(rollout.Options{
		Store:    states,
		Stats:    a.stats,
		Splitter: a.splits,
		Logger:   a.logger.Named("rollout"),
		Record:   cfg.State.Record,
		Witness:  &witness{stats: a.stats, endpoints: a.proxy.EndpointsOf, configuration: a.current.Load},
	})
	if err != nil {
		return fmt.Errorf("restore the rollouts: %w", err)
	}
	a.operators = &operators{Manager: a.manager}
	return a.buildOutside(cfg)
}

// buildOutside makes what speaks to others about rollouts.
func (a *App) buildOutside(cfg *config.Config) (err error) {
	options := notify.Options{
		Rollouts: a.manager,
		Source:   speaker(),
		Logger:   a.logger.Named("notify"),
	}
	if cfg.Admin.PublicURL != "" {
		if a.links, err = admin.OpenLinks(cfg.Admin, filepath.Join(cfg.State.Directory, "link.key")); err != nil {
			return err
		}
		options.Links = a.links
	}
	if a.notices, err = notify.New(options); err != nil {
		return err
	}
	a.asker = metrics.New(metrics.Options{Rollouts: a.manager, Logger: a.logger.Named("metrics")})
	a.hooks, err = hooks.New(hooks.Options{Rollouts: a.manager, Logger: a.logger.Named("hooks")})
	return err
}

// listen opens the admin listeners.
func (a *App) listen(cfg *config.Config) error {
	gatherer, err := a.gatherer()
	if err != nil {
		return err
	}
	a.admin, err = admin.New(admin.Options{
		Config:        cfg.Admin,
		Exposure:      a.options.Exposure,
		Rollouts:      a.operators,
		Archive:       a.manager,
		Services:      a.services,
		Service:       a.service,
		Gatherer:      gatherer,
		Families:      stats.NewCollector(a.stats, a.process, statuses{a.manager}).Families,
		Ready:         a.ready,
		Reload:        a.Reload,
		PostMetric:    a.operators.Post,
		Configuration: a.configuration,
		Effective:     a.effective,
		Counter:       a.counter,
		Listeners:     a.adminListeners(cfg.Admin),
		Links:         a.links,
		TakeOver:      a.successor,
		Drill:         a.Drill,
		Version:       a.options.Version,
		Logger:        a.logger.Named("admin"),

		TakeOverPath: handover.Path, TakeOverProtocol: handover.Protocol,
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

// gatherer is the source of the metrics that any Go program has.
func (a *App) gatherer() (prometheus.Gatherer, error) {
	registry := prometheus.NewRegistry()
	parts := []prometheus.Collector{
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
		zap.Stringer("address", a.Address()), a.securedField(),
		zap.String("config", a.options.ConfigPath),
		zap.Int("services", len(cfg.Services)))
}
