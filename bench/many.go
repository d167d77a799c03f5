package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"haldane/bench/load"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// subject is the peer that all is about.
const subject = "haldane"

// crowdOf is requests to the first services, each with a user of its own.
func crowdOf(services int) load.Spec {
	spec := load.Spec{Connections: connections}
	for i := range services {
		request := get("/100", fmt.Sprintf("s%d.example.com", i))
		user := fmt.Sprintf("Cookie: uid=%016x; ", i)
		spec.Requests = append(spec.Requests, bytes.Replace(request, []byte("Cookie: "), []byte(user), 1))
	}
	return spec
}

// settings is Haldane several times, each with another work, compared with each other.
type settings struct {
	arena *arena
	names map[*peers.Running]string
}

// enterSettings starts what was chosen of Haldane once for each work. What does not start is said, and left out.
func (b *bench) enterSettings(ctx context.Context, result *report.Scenario, names []string, works []peers.Work) settings {
	s := settings{&arena{bench: b, result: result}, make(map[*peers.Running]string)}
	for _, p := range b.found {
		if p.Name != subject {
			continue
		}
		for i, w := range works {
			r, err := s.arena.start(ctx, p, b.complete(w))
			if err != nil {
				result.Failures = append(result.Failures, fmt.Sprintf("%s: %v", names[i], err))
				continue
			}
			s.names[r] = names[i]
		}
	}
	return s
}

// called is the one with a name; nil when it does not run.
func (s settings) called(name string) *peers.Running {
	for _, r := range s.arena.running {
		if s.names[r] == name {
			return r
		}
	}
	return nil
}

// many is a number of services of which one in ten has traffic.
func (b *bench) many() int {
	if b.quick {
		return 1000
	}
	return 10_000
}

// playServices compares Haldane with few and many services and rules, and looks at a reload of the many.
func playServices(ctx context.Context, b *bench, result *report.Scenario) error {
	many := b.many()
	names := []string{"1 service", "100 rules", "100 services", fmt.Sprint(many, " services")}
	traffic := map[string]int{names[0]: 1, names[1]: 1, names[2]: 100, names[3]: many / 10}
	s := b.enterSettings(ctx, result, names, []peers.Work{
		{Services: 1, Rollouts: 1}, {Services: 1, Rollouts: 1, Pins: 100}, {Services: 100, Rollouts: 100}, {Services: many, Rollouts: 1},
	})
	defer s.arena.leave()
	err := s.arena.rounds(ctx, func(r *peers.Running) shot {
		shot := b.closed(crowdOf(traffic[s.names[r]]))
		shot.name = s.names[r]
		return shot
	})
	if err != nil {
		return err
	}
	rate := result.Of(report.Key{Peer: subject, Load: names[3]}, report.Run.Rate)
	if r := s.called(names[3]); r != nil && rate.Count > 0 {
		return b.reload(ctx, s.arena, r, rate.Median/4)
	}
	return nil
}

// reload takes latencies at a quarter of the capacity, without a reload and while all services are loaded again.
func (b *bench) reload(ctx context.Context, a *arena, r *peers.Running, rate float64) error {
	quiet, loud := report.ManyQuiet, report.ManyReload
	if b.quick { // fewer of them, which must not be taken for the figures of many
		quiet, loud = "open 25 %", "the same, while all are reloaded (short)"
	}
	var took []float64
	for round := range b.rounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		phase := load.Phase{Rate: rate, Warm: b.time / 4, Time: 2 * b.time}
		a.measure(r, round, shot{quiet, crowdOf(b.many() / 10), phase})
		done := make(chan error, 1)
		begun := false
		phase.Begin = func() {
			begun = true
			go func() {
				start := time.Now()
				err := r.Reload(ctx)
				took = append(took, time.Since(start).Seconds())
				done <- err
			}()
		}
		a.measure(r, round, shot{loud, crowdOf(b.many() / 10), phase})
		if !begun {
			continue // what went wrong has been said
		}
		if err := <-done; err != nil {
			return err
		}
	}
	if !b.quick {
		a.result.Facts = map[string]float64{report.ReloadFact: report.SpreadOf(took).Median}
	}
	return nil
}

// playRollouts compares services without a rollout, with one, and with one each.
func playRollouts(ctx context.Context, b *bench, result *report.Scenario) error {
	const services, busy, rate = 1000, 50, 2000
	names := []string{"no rollout", "1 rollout", "1,000 rollouts"}
	s := b.enterSettings(ctx, result, names, []peers.Work{
		{Services: services}, {Services: services, Rollouts: 1}, {Services: services, Rollouts: services},
	})
	defer s.arena.leave()
	full := func(r *peers.Running) shot {
		shot := b.closed(crowdOf(busy))
		shot.name = s.names[r]
		return shot
	}
	thin := func(r *peers.Running) shot {
		return shot{s.names[r] + ", 2,000/s", crowdOf(busy), load.Phase{Rate: rate, Warm: b.time / 4, Time: 2 * b.time}}
	}
	return s.arena.rounds(ctx, full, thin)
}

// playCores lets the proxies use all cores. Load and upstream are in the way there, so that this says little more than that
// more cores help.
func playCores(ctx context.Context, b *bench, result *report.Scenario) error {
	a := b.enter(ctx, result, peers.Work{Cores: all()}, nil)
	defer a.leave()
	spec := load.Spec{Connections: connections, Requests: [][]byte{get("/100", "shop.example.com")}}
	return a.rounds(ctx, func(*peers.Running) shot { return b.closed(spec) })
}
