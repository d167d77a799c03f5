package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"haldane/rollout"
)

// flaky makes a backend fail a share of its requests.
func (b *backend) flaky(share float64) {
	handle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if rand.Float64() < share {
			http.Error(w, "an ordinary failure", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "fine")
	})
	b.handle.Store(&handle)
}

// press sends so many requests a second, and fewer when they are not answered that quickly: on a machine that is too slow
// nothing piles up. It goes on until the test ends.
func (i *instance) press(t *testing.T, rate int) {
	t.Helper()
	const clients = 20
	client := newClient(t)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			ticker := time.NewTicker(clients * time.Second / time.Duration(rate))
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					i.get(client, nil)
				}
			}
		})
	}
	t.Cleanup(func() { cancel(); group.Wait() })
}

// patience is how long a test of this file waits at most.
func patience() time.Duration {
	if raceEnabled { // it makes the machine slower than the traffic is to be
		return 3 * time.Minute
	}
	return time.Minute
}

// tenth is a service with a canary at 10 %, then at 50 %, with a warm-up of five seconds.
func tenth(stable, canary *backend) string {
	return underTest(stable, canary, `    steps: [{weight: 10%, duration: 12s}, {weight: 50%, duration: 60s}]
    checks: {warm_up: 5s}`)
}

// A canary that fails 5 % of its requests, where stable fails 0.5 %, is rolled back within a minute.
func TestTenfoldErrorsAreRolledBack(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.flaky(0.005)
	canary.flaky(0.05)
	i := launch(t, tenth(stable, canary))
	i.press(t, 500)
	started := time.Now()
	view := i.await(t, patience(), "rolled back", rolledBack)
	took := time.Since(started)
	t.Logf("%v, %d canary requests: %s", took, canary.requests.Load(), view.Verdict.Sentence())
	if !strings.Contains(view.Reason, "errors") {
		t.Errorf("the reason is %q", view.Reason)
	}
}

// Two in five requests of both variants fail for twenty seconds: a hold, and nothing else. It goes on afterwards.
func TestOutageOfBothIsAHold(t *testing.T) {
	unraced(t)
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, tenth(stable, canary))
	i.press(t, 500)
	i.await(t, patience(), "evidence", func(v rollout.View) bool {
		return len(v.Verdict.Checks) > 0 && v.Verdict.Checks[0].CanaryTotal > 100
	})
	stable.flaky(0.4)
	canary.flaky(0.4)
	held := i.await(t, 10*time.Second, "held", func(v rollout.View) bool { return v.Hold != "" })
	if held.Hold != rollout.HoldStableSick || !strings.Contains(held.Reason, "stable is sick itself") {
		t.Errorf("%s: %s", held.Hold, held.Reason)
	}
	over := time.After(20 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for outage := true; outage; {
		select {
		case <-look.C:
			if v := i.view(t); v.Phase != rollout.PhaseProgressing || v.Step != 0 || v.Hold != rollout.HoldStableSick {
				t.Fatalf("phase %v, step %d, hold %q while both fail: %s", v.Phase, v.Step, v.Hold, v.Reason)
			}
		case <-over:
			outage = false
		}
	}
	stable.flaky(0)
	canary.flaky(0)
	i.await(t, patience(), "step 2 once both are well", func(v rollout.View) bool { return v.Step == 1 })
}
