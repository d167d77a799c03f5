package app

import (
	"context"
	"errors"
	"fmt"
	"net"

	"go.uber.org/zap"

	"haldane/app/handover"
	"haldane/config"
	"haldane/proxy"
	"haldane/router"
	"haldane/stats"
)

// The new process's side of a hand-over.

// claimPlace takes over the sockets that a service manager opened or, if it was asked to, claims the place of the running
// process, with its sockets. Without one this is an ordinary start.
func (a *App) claimPlace(cfg *config.Config) (err error) {
	if a.inherited, err = inherit(a.options.Getenv); err != nil {
		return err
	}
	a.closers.add("inherited sockets", func() error { return handover.Close(a.inherited.sockets) })
	if a.options.Start != TakeOver {
		return nil
	}
	if cfg.Admin.Socket == config.Off {
		return errors.New("taking over needs the admin socket, which is off")
	}
	claim, err := handover.Ask(context.Background(), cfg.Admin.Socket)
	if errors.Is(err, handover.ErrNobody) {
		a.logger.Info("there is nobody to take over from", zap.String("socket", cfg.Admin.Socket))
		return nil
	}
	if err != nil {
		return err
	}
	a.claim = claim
	a.closers.add("claim", func() error {
		if a.claim == nil {
			return nil
		}
		return a.claim.Close()
	})
	if len(a.inherited.sockets) == 0 {
		a.inherited.sockets = claim.Take()
	}
	return nil
}

// awaitStore tells the old process that all is prepared and waits until it has let go of the store. From then on the old one
// does not judge; it still serves.
func (a *App) awaitStore(cfg *config.Config) error {
	if a.claim == nil {
		return nil
	}
	if err := rehearse(cfg); err != nil {
		return err
	}
	return a.claim.Prepared()
}

// rehearse builds what a configuration is made into and throws it away, so that what is wrong with it shows while the old
// process still has everything.
func rehearse(cfg *config.Config) error {
	table, err := router.Build(router.Options{Services: cfg.Services, Segments: cfg.Segments, Default: cfg.DefaultService})
	if err != nil {
		return fmt.Errorf("build the routing table: %w", err)
	}
	_, err = proxy.NewSnapshot(proxy.Sections{
		Table:    table,
		Services: cfg.Services,
		Limits:   cfg.Limits,
		Timeouts: cfg.Timeouts,
		Log:      cfg.Log,
		Stats:    stats.NewRegistry(1),
	}, nil)
	if err != nil {
		return fmt.Errorf("build the proxy's tables: %w", err)
	}
	return nil
}

// tellServing ends the hand-over: the old process stops accepting. Sockets that nobody wanted are closed before, and with them
// what listens on addresses that the file no longer names.
func (a *App) tellServing() {
	if err := handover.Close(a.inherited.sockets); err != nil {
		a.logger.Warn("close the sockets that are not used", zap.Error(err))
	}
	a.inherited.sockets = nil
	if a.claim == nil {
		return
	}
	if err := a.claim.Serving(); err != nil {
		// It has died meanwhile, or will hear of it when the connection closes. Either way this process has the store and serves.
		a.logger.Warn("the old process did not confirm that it leaves", zap.Error(err))
	}
	_ = a.claim.Close()
	a.claim = nil
	a.logger.Info("took over")
}

// The old process's side.

// successor is given the connection over which a new process asks. Run does the rest.
func (a *App) successor(conn *net.UnixConn) {
	select {
	case a.successors <- conn:
	case <-a.leaving:
		_ = conn.Close()
	}
}

// handOver gives this process's place to a new one. With an error nothing has changed, except that the rollouts were not
// judged for a moment.
func (a *App) handOver(ctx context.Context, conn *net.UnixConn, judge *judging) error {
	defer func() { _ = conn.Close() }() // that tells the new process that it is alone, or that it is not
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	offer := handover.NewOffer(conn)
	pid, err := offer.Give(a.allSockets())
	if err != nil {
		return err
	}
	a.logger.Info("handing over", zap.Int("to", pid))
	if err := a.suspend(judge); err != nil {
		return errors.Join(err, a.resume(judge))
	}
	if err := offer.Released(); err != nil {
		return errors.Join(err, a.resume(judge))
	}
	a.admin.Abandon()
	a.tell(a.notifier.MainPID(pid))
	return nil
}

// suspend stores the rollouts and lets go of them: from here on nothing is judged, ordered or reloaded in this process.
func (a *App) suspend(judge *judging) error {
	a.reloading.Lock()
	a.released = true
	a.reloading.Unlock()
	a.operators.suspend()
	if err := judge.stop(); err != nil {
		return err
	}
	if err := a.states.release(); err != nil {
		return fmt.Errorf("let go of the store: %w", err)
	}
	return nil
}

// resume takes the rollouts back when nothing came of a hand-over.
func (a *App) resume(judge *judging) error {
	err := a.states.reclaim()
	judge.start()
	a.operators.resume()
	a.reloading.Lock()
	defer a.reloading.Unlock()
	a.released = false
	if err != nil {
		return fmt.Errorf("take the store back: %w", err)
	}
	return nil
}
