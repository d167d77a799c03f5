//go:build !race

package rollout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/stats"
	"haldane/store"
)

// An active rollout is to take at most 256 KiB of memory in all: the cells of two variants with requests of every kind on
// every lane and every shard of an eight-core machine, voters, the readers' and the judge's memory, and history.
func TestMemoryOfActiveRollouts(t *testing.T) {
	const rollouts = 100
	for _, cores := range []int{2, 8} {
		t.Run(fmt.Sprint(cores, " cores"), func(t *testing.T) {
			before := inUse()
			r := busyRig(t, cores, rollouts)
			size := (inUse() - before) / rollouts
			t.Logf("%d KiB for each of %d rollouts", size>>10, rollouts)
			if size > 256<<10 {
				t.Errorf("an active rollout takes %d KiB, want at most 256", size>>10)
			}
			runtime.KeepAlive(r)
		})
	}
}

// busyRig is a manager of rollouts that have had traffic under four splits.
func busyRig(t *testing.T, cores, rollouts int) *rig {
	states, err := store.OpenFile(filepath.Join(t.TempDir(), "haldane.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = states.Close() })
	r := &rig{t: t, journal: &journal{splits: map[string]Split{}}, random: rand.New(rand.NewPCG(1, 2))}
	r.stats = stats.NewRegistry(cores)
	r.Manager, err = NewManager(Options{Store: states, Stats: r.stats, Splitter: r.journal, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	specs := make([]Spec, rollouts)
	for i := range specs {
		specs[i] = quickSpec(fmt.Sprint("service ", i), 50*onePercent)
		step := &specs[i].Policy.Steps[0]
		step.Segment, step.Strength, step.Duration = "testers", 50*onePercent, config.Duration(time.Hour)
	}
	r.configure(specs...)
	now := time.Now()
	for n := range 4 {
		for range 8 {
			for i := range specs {
				r.burst(specs[i].Service, 400)
			}
			now = now.Add(time.Second)
			r.tick(now)
		}
		for i := range specs {
			r.adjust(specs[i].Service, 50*onePercent-config.Percent(n+1))
		}
	}
	r.checkpoint()
	return r
}

// adjust changes the weight, and with it the revision of the split.
func (r *rig) adjust(service string, weight config.Percent) {
	r.t.Helper()
	if _, err := r.Do(service, Command{Kind: CommandSetWeight, Weight: weight}); err != nil {
		r.t.Fatal(err)
	}
}

// burst records requests of all kinds.
func (r *rig) burst(name string, n int) {
	service := r.stats.Service(name)
	split := r.journal.split(name)
	for range n {
		shard := r.random.Uint64()
		v, side := service.Variant(split.Stable), stats.SideStable
		if r.random.IntN(2) == 0 {
			v, side = service.Variant(split.Canary), stats.SideCanary
		}
		service.Voters().Vote(r.random.Uint64(), side)
		// Log-normal about 20 ms: 99.99 % within a factor of ten to either side.
		took := time.Duration(float64(20*time.Millisecond) * math.Exp(0.6*r.random.NormFloat64()))
		rec := stats.Record{
			Outcome: stats.OutcomeOK, Status: 200, Method: stats.MethodGet, FirstByte: took, BytesOut: 2000,
			Lane: stats.Judged(r.random.IntN(3), split.Revision),
		}
		switch r.random.IntN(20) {
		case 0:
			rec.Status, rec.Outcome = 503, stats.OutcomeServerError
		case 1:
			rec.Status, rec.Outcome = 0, stats.OutcomeTimeout
		case 2:
			rec.Status = 404
		case 3, 4, 5, 6:
			rec.Method = stats.MethodPost
		}
		v.Begin(shard).End(rec)
	}
}

// inUse is the memory that is reachable.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
