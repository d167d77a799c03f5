package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"haldane/admin"
	"haldane/config"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/router"
	"haldane/stats"
	"haldane/store"
)

// A drill is a second Haldane inside this one: a proxy, a judge and a rollout of their own, built of the same parts and configured like
// any other, in front of two servers that are there for nothing else. It shares with the real services nothing but the processor, so
// that it cannot touch their numbers, splits or rollouts.

// The drill's service and its two variants.
const (
	drillService = "drill"
	drillStable  = "healthy"
	drillCanary  = "broken"
	drillHost    = "drill.invalid"
	drillRate    = 200
	// drillAftermath is how long it is watched whether a request still comes to the canary.
	drillAftermath = 500 * time.Millisecond
	// drillGrace is how long a request may be on its way inside the machine when the canary is revoked.
	drillGrace = 50 * time.Millisecond
)

// Drill plays a failing canary under the policy of a service and measures how long it takes until it is rolled back. It blocks until
// then, for admin.DrillLongest at most. There is one at a time.
func (a *App) Drill(ctx context.Context, order admin.DrillOrder) (admin.Drill, error) {
	if !a.drilling.TryLock() {
		return admin.Drill{}, admin.ErrDrilling
	}
	defer a.drilling.Unlock()
	result, policy, err := a.planDrill(order)
	if err != nil {
		return result.Drill, err
	}
	d, err := newDrill(result, policy, a.leaving)
	if err != nil {
		return result.Drill, fmt.Errorf("build the drill: %w", err)
	}
	defer d.close()
	err = d.run(ctx)
	if err == nil {
		a.manager.Remark(order.Service, rollout.AuditEntry{
			Command: rollout.CommandDrill, Actor: order.Actor, Reason: order.Reason, Result: d.result.words(),
		})
	}
	return d.result.Drill, err
}

// planDrill fills what the order leaves open.
func (a *App) planDrill(order admin.DrillOrder) (drillResult, config.Policy, error) {
	cfg := a.current.Load()
	policy, name := config.Careful(), config.PolicyCareful
	if order.Service != "" {
		if _, known := cfg.Services[order.Service]; !known {
			return drillResult{}, policy, fmt.Errorf("no service is called %q", order.Service)
		}
		policy, name = cfg.Release(order.Service)
	}
	r := drillResult{admin.Drill{Service: order.Service, Policy: name, Weight: order.Weight, Errors: order.Errors, Rate: order.Rate}}
	if r.Weight == 0 && policy.Ramp != nil {
		r.Weight = policy.Ramp.From
	}
	for i := 0; r.Weight == 0 && i < len(policy.Steps); i++ {
		r.Weight = policy.Steps[i].Weight
	}
	if r.Weight == 0 {
		r.Weight = config.Whole / 100
	}
	if r.Errors == 0 {
		r.Errors = config.Whole
	}
	if r.Rate == 0 {
		r.Rate = drillRate
	}
	return r, drilled(&policy, r.Weight), nil
}

// drilled is a policy with the checks and the budget of another one, and one step that does not end by itself.
func drilled(p *config.Policy, weight config.Percent) config.Policy {
	step := config.DefaultStep()
	step.Weight, step.Duration, step.MaxDuration = weight, config.Duration(time.Hour), config.Duration(time.Hour)
	return config.Policy{
		Steps: []config.Step{step}, Checks: p.Checks, Budget: p.Budget, OnFailure: config.FailureRollBack, Alpha: p.Alpha, Beta: p.Beta,
	}
}

// drill is one drill.
type drill struct {
	result  drillResult
	sides   [2]*drillSide // healthy and broken
	front   *drillFront
	proxy   *proxy.Server
	manager *rollout.Manager
	revoked chan time.Time // has room for one
	leaving <-chan struct{}
}

// errLeaving says that the process has something else to do.
var errLeaving = errors.New("the process is stopping")

// newDrill builds a drill, which ends when the process is leaving.
func newDrill(result drillResult, policy config.Policy, leaving <-chan struct{}) (d *drill, err error) {
	d = &drill{result: result, revoked: make(chan time.Time, 1), leaving: leaving}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	for i, failing := range []float64{0, result.Errors.Ratio()} {
		if d.sides[i], err = newDrillSide(failing); err != nil {
			return nil, err
		}
	}
	if d.front, err = newDrillFront(); err != nil {
		return nil, err
	}
	cfg, err := drillConfig(d.sides[0].address(), d.sides[1].address())
	if err != nil {
		return nil, err
	}
	cfg.Policies[drillService] = policy
	return d, d.build(cfg)
}

// drillConfig is the configuration of the drill's service, with the defaults of any other.
func drillConfig(healthy, broken string) (*config.Config, error) {
	return config.Parse("drill", fmt.Appendf(nil, `
version: 1
policies: {%[1]s: {steps: [1%%]}}
services:
  %[1]s:
    match: [{host: %[2]s}]
    variants: {%[3]s: {endpoints: [%[5]q]}, %[4]s: {endpoints: [%[6]q]}}
    stable: %[3]s
    canary: %[4]s
    policy: %[1]s
`, drillService, drillHost, drillStable, drillCanary, healthy, broken), nil)
}

// build makes the drill's own proxy and rollout, as put does for the real ones.
func (d *drill) build(cfg *config.Config) error {
	numbers := stats.NewRegistry(0)
	table, err := router.Build(router.Options{Services: cfg.Services})
	if err != nil {
		return err
	}
	snapshot, err := proxy.NewSnapshot(proxy.Sections{
		Table: table, Services: cfg.Services, Limits: cfg.Limits, Timeouts: cfg.Timeouts, Log: cfg.Log, Stats: numbers,
	}, nil)
	if err != nil {
		return err
	}
	d.proxy = proxy.New(proxy.Options{})
	s := &splits{proxy: d.proxy}
	d.manager, err = rollout.NewManager(rollout.Options{
		Store: store.NewMemory(), Stats: numbers, Splitter: drillSplits{s, d.revoked}, Logger: zap.NewNop(),
	})
	if err != nil {
		return err
	}
	return d.manager.Configure(time.Now(), specs(cfg), func(orders []rollout.Split) error {
		return s.replace(built{snapshot, cfg.Segments}, orders)
	})
}

// drillSplits notes when the canary is taken out of service.
type drillSplits struct {
	*splits
	revoked chan time.Time
}

// Revoke takes the canary out of service.
func (s drillSplits) Revoke(service string) {
	s.splits.Revoke(service)
	s.note()
}

// SetSplit puts a split in force.
func (s drillSplits) SetSplit(split rollout.Split) error {
	err := s.splits.SetSplit(split)
	if split.RolledBack && err == nil {
		s.note()
	}
	return err
}

// note keeps the first time.
func (s drillSplits) note() {
	select {
	case s.revoked <- time.Now():
	default:
	}
}

// run plays the drill until it is decided, the time is up or the context ends.
func (d *drill) run(ctx context.Context) error {
	events, unsubscribe := d.manager.Subscribe(64)
	defer unsubscribe()
	playing, stop := context.WithCancel(context.Background())
	defer stop()
	served := start("drill's proxy", func() error { return d.proxy.Serve(playing, d.front.entrance()) })
	judged := start("drill's rollout", func() error { return d.manager.Run(playing) })
	loading, stopLoad := context.WithCancel(playing)
	loaded := start("drill's load", func() error { return d.front.load(loading, d.result.Rate) })
	err := d.await(ctx, events)
	stopLoad()
	failed := <-loaded
	stop()
	failed = errors.Join(failed, <-judged, <-served)
	if err == nil {
		err = failed
	}
	d.result.measure(d)
	return err
}

// await waits for the rollback, and then for requests that should not come.
func (d *drill) await(ctx context.Context, events <-chan rollout.Event) error {
	limit := time.NewTimer(admin.DrillLongest)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.leaving:
			return errLeaving
		case <-limit.C:
			return nil
		case e := <-events:
			if e.Kind == rollout.EventRolledBack {
				d.result.decided(&e, d.sides[1].firstFailure())
				events = nil // what comes after it is of no interest
				limit.Reset(drillAftermath)
			}
		}
	}
}

// close lets go of everything.
func (d *drill) close() {
	if d.proxy != nil {
		d.proxy.Close()
	}
	for _, s := range d.sides {
		if s != nil {
			s.close()
		}
	}
	if d.front != nil {
		d.front.close()
	}
}
