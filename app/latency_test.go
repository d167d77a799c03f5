package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/rollout"
)

// The tests of this file run alone, not beside each other: they measure times.

// pair is a service with a canary at 20 % whose latency is judged after five seconds.
func pair(stable, canary *backend) string {
	return underTest(stable, canary, `    steps: [{weight: 20%, duration: 5m, max_duration: 10m}]
    checks: {warm_up: 5s}`)
}

// slow makes a backend wait 5 ms, and for a share of its requests so much more. That is long next to what a busy machine adds.
func (b *backend) slow(share float64, more time.Duration) {
	handle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		wait := 5 * time.Millisecond
		if rand.Float64() < share {
			wait += more
		}
		time.Sleep(wait) // the work that a real service would do
		fmt.Fprintln(w, "done")
	})
	b.handle.Store(&handle)
}

// flood sends so many requests a second in bursts of ten milliseconds, because a ticker on a busy machine drops ticks. An
// answer that takes long delays no other request.
func (i *instance) flood(t *testing.T, rate int) (stop func()) {
	t.Helper()
	return i.floodFrom(t, newClient(t), rate)
}

// floodFrom is flood by a client that is made for it.
func (i *instance) floodFrom(t *testing.T, client *http.Client, rate int) (stop func()) {
	t.Helper()
	if raceEnabled {
		t.Skip("under the race detector the machine is the slow one")
	}
	end := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		started, sent := time.Now(), 0
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
			}
			for ; sent < int(time.Since(started).Seconds()*float64(rate)); sent++ {
				group.Go(func() { i.get(client, nil) })
			}
		}
	})
	stop = sync.OnceFunc(func() { close(end); group.Wait() })
	t.Cleanup(stop)
	return stop
}

// latencyChecks describes the checks of latency, for the log.
func latencyChecks(v rollout.View) string {
	var b strings.Builder
	for _, c := range v.Verdict.Checks {
		if c.Group == "latency" {
			fmt.Fprintf(&b, "\n\t%s: %s", c.Name, c.Sentence)
		}
	}
	return b.String()
}

// A canary whose p99 is twice that of stable, while nine of ten of its answers are as quick, is rolled back by a check of
// latency.
func TestSlowCanaryIsRolledBack(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.slow(0.015, 60*time.Millisecond)
	canary.slow(0.05, 125*time.Millisecond)
	i := launch(t, pair(stable, canary))
	stop := i.flood(t, 600)
	started := time.Now()
	view := i.await(t, 60*time.Second, "rolled back", rolledBack)
	took := time.Since(started)
	stop()
	t.Logf("%v: %s%s", took, view.Reason, latencyChecks(view))
	if took < 5*time.Second {
		t.Error("it was not given its time to warm up")
	}
	for _, c := range view.Verdict.Checks {
		if failed := c.Class == analysis.Fail; failed && c.Group != "latency" {
			t.Errorf("the check %s failed: %s", c.Name, c.Sentence)
		}
	}
}

// Two variants that are alike, slow answers included, are not rolled back in the same time.
func TestEqualLatenciesAreNotRolledBack(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.slow(0.05, 125*time.Millisecond)
	canary.slow(0.05, 125*time.Millisecond)
	i := launch(t, pair(stable, canary))
	stop := i.flood(t, 600)
	// Longer than the slow canary takes. The p99 needs 500 canary requests to say anything, and 30 s bring nearly 3,000 after the warm-up.
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		if view := i.view(t); rolledBack(view) {
			t.Fatalf("%s%s", view.Reason, latencyChecks(view))
		}
		select {
		case <-tick.C:
		case <-deadline:
			waiting = false
		}
	}
	view := i.view(t)
	stop()
	t.Logf("score %.0f%s", view.Verdict.Score, latencyChecks(view))
	for _, c := range view.Verdict.Checks {
		if c.CanaryTotal < c.MinRequests {
			t.Errorf("the check %s saw %d requests, too few to mean something", c.Name, c.CanaryTotal)
		}
	}
}
