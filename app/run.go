package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// parts are the goroutines of a running App.
type parts struct {
	judge                                      *judging
	administering, watching, renewing, serving chan error
	telling, guarding, asking, tracing         chan error
	stopAdmin, stopServing, stopTelling        context.CancelFunc
	stopTracing                                context.CancelFunc
}

// judging is the manager's loop, which a hand-over stops and, when nothing comes of it, starts again.
type judging struct {
	run    func(context.Context) error
	cancel context.CancelFunc
	done   chan error
}

// judge runs the rollouts and asks their hooks, who are not asked any more when the rollouts are stored for the last time.
func (a *App) judge(ctx context.Context) error {
	judging, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := start("loop", func() error { return a.manager.Run(judging) })
	err := a.hooks.Run(ctx)
	stop()
	return errors.Join(err, <-done)
}

// start starts the loop.
func (j *judging) start() {
	ctx, cancel := context.WithCancel(context.Background())
	j.cancel, j.done = cancel, start("rollouts", func() error { return j.run(ctx) })
}

// stop ends the loop, which then stores the rollouts. It may be called again.
func (j *judging) stop() error {
	j.cancel()
	err := <-j.done
	j.done <- nil
	return err
}

// Run serves until the context ends, then drains: readiness goes first, then, after timeouts.shutdown_delay, the client
// listeners, then the requests in flight, then the rollouts are stored, and the admin side last, so that a drain can be
// watched. It ends the same way when another process has taken over, without the delay. It returns nil after a clean drain.
func (a *App) Run(ctx context.Context) error {
	p := a.start(ctx)
	a.tellServing()
	a.tell(a.notifier.Ready(condition(nil)))
	handed, failed := a.await(ctx, p)
	close(a.leaving)
	if handed {
		p.stopAdmin() // the new process answers
	} else {
		a.draining.Store(true)
		a.tell(a.notifier.Stopping("draining"))
		failed = errors.Join(failed, a.delay(p, failed))
	}
	a.logger.Info("draining", zap.Duration("limit", time.Duration(a.current.Load().Timeouts.Drain)))
	p.stopServing()
	failed = errors.Join(failed, <-p.serving, <-p.watching, <-p.renewing, <-p.guarding, <-p.asking)
	if !handed {
		failed = errors.Join(failed, p.judge.stop())
	}
	p.stopTelling() // after the last event
	p.stopTracing() // after the last request
	failed = errors.Join(failed, <-p.telling, <-p.tracing)
	p.stopAdmin()
	failed = errors.Join(failed, <-p.administering)
	a.drilling.Lock() // one that was under way has been told; nothing begins another one any more
	failed = errors.Join(failed, a.closers.close())
	a.logger.Info("stopped", zap.Error(failed))
	return failed
}

// start starts all parts.
func (a *App) start(ctx context.Context) *parts {
	p := &parts{judge: &judging{run: a.judge}}
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	serveCtx, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	p.stopAdmin, p.stopServing = stopAdmin, stopServing
	tellCtx, stopTelling := context.WithCancel(context.WithoutCancel(ctx))
	p.stopTelling = stopTelling
	tracingCtx, stopTracing := context.WithCancel(context.WithoutCancel(ctx))
	p.stopTracing = stopTracing
	p.tracing = start("tracing", func() error { return a.tracer.Run(tracingCtx) })
	p.telling = start("notifications", func() error { return a.notices.Run(tellCtx) })
	p.judge.start()
	p.asking = start("metrics", func() error { return a.asker.Run(serveCtx) })
	p.administering = start("admin", func() error { return a.admin.Run(adminCtx) })
	p.watching = start("configuration watcher", func() error { return a.watcher.Run(serveCtx, a.fileChanged) })
	p.renewing = start("certificates", func() error {
		if a.keychain == nil {
			return nil
		}
		return a.keychain.Run(serveCtx, a.certificateChanged)
	})
	p.guarding = start("memory", func() error { return a.memory.run(serveCtx) })
	p.serving = start("proxy", func() error { return a.proxy.Serve(serveCtx, a.entrances...) })
	return p
}

// await waits for the end: the context's, that of a part, or a hand-over.
func (a *App) await(ctx context.Context, p *parts) (handed bool, failed error) {
	for {
		select {
		case failed = <-p.serving:
			p.serving <- nil
			return false, failed
		case failed = <-p.judge.done:
			p.judge.done <- nil
			return false, failed
		case failed = <-p.administering:
			p.administering <- nil
			return false, failed
		case <-ctx.Done():
			return false, nil
		case conn := <-a.successors:
			err := a.handOver(ctx, conn, p.judge)
			if err == nil {
				return true, nil
			}
			a.logger.Error("nothing came of the hand-over, this process goes on", zap.Error(err))
		}
	}
}

// delay goes on as before for timeouts.shutdown_delay, while load balancers learn that the process is not ready.
func (a *App) delay(p *parts, failed error) error {
	limit := time.Duration(a.current.Load().Timeouts.ShutdownDelay)
	if limit <= 0 || failed != nil {
		return nil
	}
	a.logger.Info("not ready any more", zap.Duration("delay", limit))
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.cutting:
	case failed = <-p.serving:
		p.serving <- nil
	}
	return failed
}

// Cut ends a drain that is under way: what is left of it is not waited for. It may be called at any time, and more than once.
func (a *App) Cut() {
	a.cutOnce.Do(func() { close(a.cutting) })
	a.proxy.Cut()
}

// tell logs that the service manager could not be told something. Nothing depends on it.
func (a *App) tell(err error) {
	if err != nil {
		a.logger.Warn("service manager", zap.Error(err))
	}
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
