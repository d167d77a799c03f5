package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"haldane/bench/load"
	"haldane/bench/machine"
	"haldane/bench/origin"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// arena is the proxies of one scenario, all running; the idle ones use next to nothing.
type arena struct {
	bench   *bench
	result  *report.Scenario
	running []*peers.Running
}

// enter starts all chosen proxies that can do a work, and looks whether they do it. What does not is left out, and said.
func (b *bench) enter(ctx context.Context, result *report.Scenario, w peers.Work, wanted func(peers.Peer) bool) *arena {
	a := &arena{bench: b, result: result}
	w = b.complete(w)
	for _, p := range b.found {
		if !p.Able(w) || wanted != nil && !wanted(p) {
			continue
		}
		if _, err := a.start(ctx, p, w); err != nil {
			result.Failures = append(result.Failures, err.Error())
		}
	}
	return a
}

// start starts one proxy and checks it.
func (a *arena) start(ctx context.Context, p peers.Peer, w peers.Work) (*peers.Running, error) {
	r, err := p.Start(ctx, w, a.bench.dir)
	if err != nil {
		return nil, err
	}
	host := "shop.example.com"
	if w.Services > 0 {
		host = "s0.example.com"
	}
	if err := a.bench.meanwhile(func() error { return r.Check(ctx, host, origin.Field) }); err != nil {
		r.Stop()
		return nil, err
	}
	a.running = append(a.running, r)
	return r, nil
}

// meanwhile does something that the upstream has to answer for. The loop stays with this goroutine.
func (b *bench) meanwhile(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	for {
		select {
		case err := <-done:
			return err
		default:
		}
		if err := b.loop.Poll(time.Millisecond); err != nil {
			return errors.Join(err, <-done)
		}
	}
}

// complete adds what all works have in common.
func (b *bench) complete(w peers.Work) peers.Work {
	w.V1, w.V2 = b.v1.Address, b.v2.Address
	if w.Cores == nil {
		w.Cores = b.proxyCores()
	}
	return w
}

// leave stops all proxies, and says what they should not have done.
func (a *arena) leave() {
	for _, r := range a.running {
		if r.Ended() {
			a.result.Failures = append(a.result.Failures, r.Name+" has ended by itself")
		} else if r.Releases {
			n, err := r.RolledBack(context.Background())
			switch {
			case err != nil:
				a.result.Failures = append(a.result.Failures, fmt.Sprintf("%s: %v", r.Name, err))
			case n > 0:
				a.result.Failures = append(a.result.Failures, fmt.Sprintf("%s: %d rollouts were rolled back, of variants that are alike", r.Name, n))
			}
		}
		r.Stop()
	}
}

// shot is one kind of load, and what it is called.
type shot struct {
	name  string
	spec  load.Spec
	phase load.Phase
}

// rounds plays shots round by round: every proxy once, then every proxy again. The first is another one each time, so that none
// always follows the same.
func (a *arena) rounds(ctx context.Context, shots ...func(*peers.Running) shot) error {
	for round := range a.bench.rounds {
		for _, of := range shots {
			for i := range a.running {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				r := a.running[(i+round)%len(a.running)]
				a.measure(r, round, of(r))
			}
		}
	}
	return nil
}

// measure plays one run and books it. A failure is booked as well; the others go on.
func (a *arena) measure(r *peers.Running, round int, s shot) {
	s.spec.Address, s.spec.Seed = r.Plain, uint64(round+1)
	if s.spec.TLS != nil {
		s.spec.Address = r.Secure
	}
	run, err := a.bench.once(r, s)
	run.Round, run.Peer, run.Load = round, r.Name, s.name
	if err != nil {
		a.result.Failures = append(a.result.Failures, fmt.Sprintf("%s, %s, round %d: %v", r.Name, s.name, round+1, err))
		return
	}
	a.result.Runs = append(a.result.Runs, run)
}

// once plays one run.
func (b *bench) once(r *peers.Running, s shot) (report.Run, error) {
	crowd, err := load.Open(b.loop, s.spec)
	if err != nil {
		return report.Run{}, err
	}
	defer crowd.Close()
	return b.with(crowd, r, s.phase)
}

// with plays one phase of a crowd that is there.
func (b *bench) with(crowd *load.Crowd, r *peers.Running, phase load.Phase) (report.Run, error) {
	pids, err := r.Pids()
	if err != nil {
		return report.Run{}, err
	}
	var before, after machine.Usage
	var looked [2]error
	begin := phase.Begin
	phase.Begin = func() {
		before, looked[0] = machine.UsageOf(pids)
		if begin != nil {
			begin()
		}
	}
	phase.End = func() { after, looked[1] = machine.UsageOf(pids) }
	result, err := crowd.Run(phase)
	if err != nil {
		return report.Run{}, err
	}
	if err := errors.Join(looked[:]...); err != nil {
		return report.Run{}, err
	}
	if result.Completed == 0 && result.Bytes == 0 {
		return report.Run{}, fmt.Errorf("nothing was answered: %s", result.Why)
	}
	used := after.Since(before)
	micros := func(p float64) float64 { return float64(result.Latency.Quantile(p)) / float64(time.Microsecond) }
	resident, err := machine.Resident(pids)
	return report.Run{
		Requests: result.Completed, Bytes: result.Bytes, Seconds: result.Elapsed.Seconds(), Failed: result.Failed, Why: result.Why,
		CPU: int64(used.CPU), System: int64(used.System), P50: micros(0.5), P99: micros(0.99), P999: micros(0.999),
		Late: float64(result.Late.Quantile(0.99)) / float64(time.Microsecond), Resident: resident,
	}, err
}
