package rollout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/stats"
	"haldane/store"
)

// crowd is a manager with many rollouts, of which some have traffic, and a clock that the test turns.
type crowd struct {
	manager *Manager
	journal *journal
	stats   *stats.Registry
	now     time.Time
	random  *rand.Rand
	names   []string
}

func newCrowd(t testing.TB, services int) *crowd {
	t.Helper()
	return newCrowdIn(t, services, store.NewMemory())
}

// newCrowdIn is a crowd that is kept in a store.
func newCrowdIn(t testing.TB, services int, kept store.Store) *crowd {
	t.Helper()
	c := &crowd{
		journal: &journal{splits: map[string]Split{}}, stats: stats.NewRegistry(0),
		now: time.Unix(1_700_000_000, 0), random: rand.New(rand.NewPCG(7, 7)),
	}
	m, err := NewManager(Options{Store: kept, Stats: c.stats, Splitter: c.journal, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	c.manager = m
	specs := make([]Spec, 0, services)
	for n := range services {
		spec := quickSpec(fmt.Sprintf("service-%d", n), 10*onePercent, 50*onePercent)
		for i := range spec.Policy.Steps {
			spec.Policy.Steps[i].Duration = spec.Policy.Steps[i].MaxDuration // it stays on its step
		}
		specs = append(specs, spec)
		c.names = append(c.names, spec.Service)
	}
	err = m.Configure(c.now, specs, func(splits []Split) error {
		for _, s := range splits {
			c.journal.splits[s.Service] = s
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// traffic is so many requests of a service at once.
func (c *crowd) traffic(service string, requests int) {
	split := c.journal.splits[service]
	s := c.stats.Service(service)
	threshold, _ := split.Weight.Fraction()
	for range requests {
		variant := s.Variant(split.Stable)
		if c.random.Uint64() < threshold {
			variant = s.Variant(split.Canary)
		}
		record := stats.Record{
			Outcome: stats.OutcomeOK, Status: 200, Lane: stats.Judged(stratumSplit, split.Revision),
			FirstByte: time.Duration(2e6 + c.random.ExpFloat64()*5e7),
		}
		if c.random.Float64() < 0.002 {
			record.Outcome, record.Status = stats.OutcomeServerError, 500
		}
		variant.Begin(c.random.Uint64()).End(record)
	}
}

// tick is one look of the loop.
func (c *crowd) tick() {
	c.now = c.now.Add(tickEvery)
	c.manager.tick(c.now)
}

// rest lets every service have had traffic once, and then none for two minutes: what is held is held then.
func (c *crowd) rest() {
	for _, name := range c.names {
		c.traffic(name, 100)
	}
	for range 2 * time.Minute / tickEvery {
		c.tick()
	}
}

// BenchmarkLoopQuiet is a look at one rollout whose service has no traffic, as a part of a look at a thousand. The target is 1 us.
func BenchmarkLoopQuiet(b *testing.B) {
	const services = 1000
	c := newCrowd(b, services)
	c.rest()
	b.ReportAllocs()
	for b.Loop() {
		c.tick()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/services, "ns/rollout")
}

// BenchmarkLoopSlack is the same before the silence is noticed: the clocks run.
func BenchmarkLoopSlack(b *testing.B) {
	const services = 100
	c := newCrowd(b, services)
	b.ReportAllocs()
	var took time.Duration
	for n := 0; b.Loop(); n++ {
		if n%80 == 0 { // every twenty seconds
			for _, name := range c.names {
				c.traffic(name, 1)
			}
			c.tick()
		}
		started := time.Now()
		c.tick()
		took += time.Since(started)
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N)/services, "ns/rollout")
}

// BenchmarkLoopBusy is a look at a rollout with so many requests a second, reading of the counts and verdict included. The
// target is 50 us.
func BenchmarkLoopBusy(b *testing.B) {
	for _, rate := range []int{100, 1000, 20000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			c := newCrowd(b, 1)
			b.ReportAllocs()
			var took time.Duration
			for b.Loop() {
				c.traffic(c.names[0], rate/4)
				started := time.Now()
				c.tick()
				took += time.Since(started)
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/tick")
		})
	}
}
