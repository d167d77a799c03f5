package app

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"haldane/admin"
	"haldane/config"
	"haldane/notify"
	"haldane/proxy"
	"haldane/proxy/trace"
	"haldane/rollout"
	"haldane/router"
	"haldane/tracing"
)

// reloadOutcome is what became of the last attempt to load the configuration.
type reloadOutcome struct {
	err       error
	attempted time.Time
	loaded    time.Time // when the configuration in force was loaded
}

// Reload reads the configuration again and puts it in force, all of it or nothing. The file watch, SIGHUP and the API all
// come here. The error is for the caller to show; it is logged, counted and kept for the API as well.
func (a *App) Reload() (err error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if a.released {
		return errReleased
	}
	defer spare()()
	defer collectLater()()
	a.tell(a.notifier.Reloading())
	defer func() { a.tell(a.notifier.Ready(condition(err))) }()
	cfg, err := config.Load(a.options.ConfigPath, a.options.Getenv)
	if err == nil {
		a.warnOfRestart(cfg)
		err = a.put(cfg)
	}
	now := time.Now()
	outcome := &reloadOutcome{err: err, attempted: now, loaded: now}
	if err != nil {
		outcome.loaded = a.outcome.Load().loaded
		a.logger.Error("the configuration was not reloaded, the old one stays", zap.Error(err))
	} else {
		a.logger.Info("configuration reloaded", zap.Int("services", len(cfg.Services)))
	}
	a.outcome.Store(outcome)
	a.process.Reloaded(now, err)
	a.notices.Reloaded(now, err)
	return err
}

// condition is how the process is doing, in words for the service manager.
func condition(reload error) string {
	if reload != nil {
		return "serving; the last reload failed, the old configuration stays"
	}
	return "serving"
}

// fileChanged is told by the watcher; the outcome is where Reload leaves it.
func (a *App) fileChanged() {
	_ = a.Reload()
}

// apply puts the first configuration in force.
func (a *App) apply(cfg *config.Config) error {
	if err := a.put(cfg); err != nil {
		return err
	}
	now := time.Now()
	a.outcome.Store(&reloadOutcome{attempted: now, loaded: now})
	a.process.Reloaded(now, nil)
	return nil
}

// put builds everything that can fail, and then swaps.
func (a *App) put(cfg *config.Config) error {
	if err := checkLoop(cfg, a.admin.Addr()); err != nil {
		return err
	}
	table, err := router.Build(router.Options{
		Services: cfg.Services,
		Segments: cfg.Segments,
		Default:  cfg.DefaultService,
	})
	if err != nil {
		return fmt.Errorf("build the routing table: %w", err)
	}
	snapshot, err := proxy.NewSnapshot(proxy.Sections{
		Table:    table,
		Services: cfg.Services,
		Limits:   cfg.Limits,
		Timeouts: cfg.Timeouts,
		Log:      cfg.Log,
		Sampler:  sampler(cfg.Tracing),
		Stats:    a.stats,
		Taken:    taken(cfg),
	}, a.splits.current())
	if err != nil {
		return fmt.Errorf("build the proxy's tables: %w", err)
	}
	told, err := notify.Read(&cfg.Notifications)
	if err != nil {
		return err
	}
	spans, err := tracing.Read(cfg.Tracing)
	if err != nil {
		return err
	}
	wanted := specs(cfg)
	ask, err := askers(wanted)
	if err != nil {
		return err
	}
	former := a.hooks.Use(ask) // before the first event of what is new
	err = a.manager.Configure(time.Now(), wanted, func(orders []rollout.Split) error {
		return a.splits.replace(built{snapshot, cfg.Segments}, orders)
	})
	if err != nil {
		a.hooks.Use(former)
		return err
	}
	a.notices.Use(told)
	a.asker.Use(cfg.Prometheus)
	a.tracer.Use(spans)
	a.current.Store(cfg)
	a.watcher.Follow(cfg)
	a.stats.Keep(names(cfg))
	// What was read, and what is replaced, is garbage now: with many services most of the memory. The caller waits for the
	// collection, and no request does.
	debug.FreeOSMemory()
	return nil
}

// sampler decides which requests are traced; nil where none is.
func sampler(section *config.Tracing) *trace.Sampler {
	if section == nil {
		return nil
	}
	return trace.NewSampler(section.Sample, rand.Uint64())
}

// names are the variants of each service.
func names(cfg *config.Config) map[string][]string {
	all := make(map[string][]string, len(cfg.Services))
	for service, settings := range cfg.Services {
		for variant := range settings.Variants {
			all[service] = append(all[service], variant)
		}
	}
	return all
}

// warnOfRestart names the sections of the file that are not as they were at the start, and only count at the next one.
func (a *App) warnOfRestart(fresh *config.Config) {
	for _, section := range []struct {
		name       string
		old, fresh any
	}{
		{"listen", a.started.Listen, fresh.Listen},
		{"admin", a.started.Admin, fresh.Admin},
		{"state", a.started.State, fresh.State},
	} {
		if !reflect.DeepEqual(section.old, section.fresh) {
			a.logger.Warn("this section differs from the one the process was started with, and needs a restart",
				zap.String("section", section.name))
		}
	}
}

// configuration is what the API shows of the file.
func (a *App) configuration() admin.Configuration {
	outcome := a.outcome.Load()
	state := admin.Configuration{
		OK:        outcome.err == nil,
		Attempted: outcome.attempted,
		Loaded:    outcome.loaded,
	}
	if outcome.err != nil {
		state.Error = outcome.err.Error()
	}
	return state
}

// rendered is the text of a configuration, as it is in force.
type rendered struct {
	of   *config.Config
	text string
}

// effective is the configuration in force as the API shows it. Its text is written once for each configuration: that takes a hundred times the
// memory of the text, and everybody may ask for it again and again.
func (a *App) effective() (string, error) {
	current := a.current.Load()
	if last := a.rendered.Load(); last != nil && last.of == current {
		return last.text, nil
	}
	running := *current
	running.Services = redacted(running.Services)
	running.Listen, running.Admin, running.State = a.started.Listen, a.started.Admin, a.started.State
	text, err := running.Dump()
	if err != nil {
		return "", err
	}
	a.rendered.Store(&rendered{current, string(text)})
	return string(text), nil
}
