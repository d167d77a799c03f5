//go:build !race

package rollout

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"haldane/store"
)

// The targets of a look at a rollout. The tests allow a multiple of them: the machine may be busy with other things.
const (
	quietTarget = time.Microsecond
	busyTarget  = 50 * time.Microsecond
	coreTarget  = 0.02 // of one core, for a thousand rollouts of which fifty are busy
	noise       = 3
)

// least is the shortest of several measurements: whatever else the machine does only adds to it.
func least(rounds int, measure func() time.Duration) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range rounds {
		best = min(best, measure())
	}
	return best
}

// processor is the processor time of the process so far, collecting its garbage meanwhile included: what other programs do takes none
// of it, but for what they take of the caches.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// timed is the processor time of a tick.
func (c *crowd) timed(t testing.TB) time.Duration {
	t.Helper()
	started := processor(t)
	c.tick()
	return processor(t) - started
}

func TestQuietRolloutsCostNextToNothing(t *testing.T) {
	const services = 1000
	c := newCrowd(t, services)
	c.rest()
	took := least(50, func() time.Duration { return c.timed(t) }) / services
	t.Logf("%v a rollout", took)
	if took > noise*quietTarget {
		t.Errorf("a look at a quiet rollout takes %v, the target is %v", took, quietTarget)
	}
	if n := testing.AllocsPerRun(20, c.tick); n != 0 {
		t.Errorf("a look at %d quiet rollouts allocates %v times", services, n)
	}
}

func TestBusyRolloutsCostLittle(t *testing.T) {
	c := newCrowd(t, 1)
	look := func() time.Duration {
		// Four looks: in one of them the latencies are handed over.
		var took time.Duration
		for range 4 {
			c.traffic(c.names[0], 250)
			took += c.timed(t)
		}
		return took / 4
	}
	for range 70 { // beyond the warm-up
		look()
	}
	took := least(50, look)
	t.Logf("%v a look", took)
	if took > noise*busyTarget {
		t.Errorf("a look at a busy rollout takes %v, the target is %v", took, busyTarget)
	}
}

// thousand is a thousand rollouts kept on disk, of which fifty have 100 requests a second.
type thousand struct{ *crowd }

func newThousand(t testing.TB) thousand {
	t.Helper()
	kept, err := store.OpenFile(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	c := thousand{newCrowdIn(t, 1000, kept)}
	c.rest()
	for range 70 { // beyond the warm-up
		c.second(t)
	}
	return c
}

// second is the processor time of a second's looks, and of its share of a checkpoint.
func (c thousand) second(t testing.TB) (looks, store time.Duration) {
	t.Helper()
	const busy, rate = 50, 100
	for range time.Second / tickEvery {
		for _, name := range c.names[:busy] {
			c.traffic(name, rate*int(tickEvery)/int(time.Second))
		}
		looks += c.timed(t)
	}
	started := processor(t)
	c.manager.checkpoint()
	return looks, (processor(t) - started) / time.Duration(checkpointEvery/time.Second)
}

func TestThousandRolloutsCostLittle(t *testing.T) {
	c := newThousand(t)
	least := time.Hour
	for range 10 {
		looks, store := c.second(t)
		least = min(least, looks+store)
	}
	share := least.Seconds()
	t.Logf("%.2f %% of a core", 100*share)
	if share > noise*coreTarget {
		t.Errorf("%.1f %% of a core, the target is %.0f %%", 100*share, 100*coreTarget)
	}
}

// BenchmarkLoopThousand is the same: the processor time of a second is what it gives as the time of an operation.
func BenchmarkLoopThousand(b *testing.B) {
	c := newThousand(b)
	var took time.Duration
	for b.Loop() {
		looks, store := c.second(b)
		took += looks + store
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
}
