package main

import (
	"context"
	"fmt"
	"time"

	"haldane/bench/load"
	"haldane/bench/machine"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// How many connections there are.
const (
	idleConnections = 10_000
	busyConnections = 1_000
	// settle is how long a proxy has to give back what idle connections do not need.
	settle = 8 * time.Second
)

// playIdle has one proxy at a time, fresh in each round: together they would need more descriptors than most machines allow,
// and a process that has had many connections keeps memory for the next ones.
func playIdle(ctx context.Context, b *bench, result *report.Scenario) error {
	each := make(map[string][]float64)
	rounds := min(b.rounds, 3)
	if b.quick {
		rounds = 1
	}
	for round := range rounds {
		for _, p := range b.found {
			if p.Bytes { // it would need twice the descriptors, and shows nothing here
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			kib, err := b.idle(ctx, p, round, result)
			if err != nil {
				result.Failures = append(result.Failures, fmt.Sprintf("%s, round %d: %v", p.Name, round+1, err))
				continue
			}
			each[p.Name] = append(each[p.Name], kib)
		}
	}
	result.Facts = make(map[string]float64)
	for name, values := range each {
		result.Facts[report.IdleFact+name] = report.SpreadOf(values).Median
	}
	return nil
}

// idle opens the idle connections of one proxy, each of which serves one request, looks at the memory, and then lets others be
// busy beside them.
func (b *bench) idle(ctx context.Context, p peers.Peer, round int, result *report.Scenario) (float64, error) {
	a := &arena{bench: b, result: result}
	defer a.leave()
	r, err := a.start(ctx, p, b.complete(peers.Work{}))
	if err != nil {
		return 0, err
	}
	spec := load.Spec{Requests: [][]byte{get("/100", "shop.example.com")}}
	if idleConnections+3*busyConnections > machine.Files() {
		return 0, fmt.Errorf("%d descriptors are not enough", machine.Files())
	}
	crowds, kib, err := b.fill(r, spec)
	defer func() {
		for _, crowd := range crowds {
			crowd.Close()
		}
	}()
	if err != nil {
		return 0, err
	}
	spec.Connections = busyConnections
	s := b.closed(spec)
	s.phase.Warm, s.phase.Time = max(s.phase.Warm, time.Second/2), max(s.phase.Time, time.Second)
	a.measure(r, round, s)
	return kib, nil
}

// batch is how many connections are opened before each of them has sent its request: a proxy may close those that send none.
const batch = 500

// fill opens idle connections and says what one holds, in KiB. The crowds are the caller's to close, in any case.
func (b *bench) fill(r *peers.Running, spec load.Spec) (crowds []*load.Crowd, kib float64, err error) {
	pids, err := r.Pids()
	if err != nil {
		return nil, 0, err
	}
	before, err := machine.Resident(pids)
	if err != nil {
		return nil, 0, err
	}
	wait := settle
	if b.quick {
		wait /= 4
	}
	spec.Address, spec.Connections = r.Plain, batch
	for range idleConnections / batch {
		crowd, err := load.Open(b.loop, spec)
		if err != nil {
			return crowds, 0, err
		}
		crowds = append(crowds, crowd)
		result, err := crowd.Once()
		if err != nil {
			return crowds, 0, err
		}
		if result.Failed > 0 {
			return crowds, 0, fmt.Errorf("%d of %d connections got no answer: %s", result.Failed, batch, result.Why)
		}
	}
	for start := time.Now(); time.Since(start) < wait; {
		if err := b.loop.Poll(10 * time.Millisecond); err != nil {
			return crowds, 0, err
		}
	}
	after, err := machine.Resident(pids)
	return crowds, float64(after-before) / 1024 / idleConnections, err
}
