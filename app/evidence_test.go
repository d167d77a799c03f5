package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
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

// busy is the rate of the tests of this file: the race detector makes the machine slower than the traffic is to be.
func busy() int {
	if raceEnabled {
		return 250
	}
	return 500
}

// tenth is a service with a canary at 10 %, then at 50 %, with a warm-up of five seconds.
func tenth(stable, canary *backend) string {
	return preamble + fmt.Sprintf(`
policies:
  test:
    steps: [{weight: 10%%, duration: 12s}, {weight: 50%%, duration: 60s}]
    checks: {warm_up: 5s}
services:
  shop:
    variants:
      v1: {endpoints: [%s]}
      v2: {endpoints: [%s]}
    stable: v1
    canary: v2
    policy: test
`, stable.address, canary.address)
}

// A canary that fails 5 % of its requests, where stable fails 0.5 %, is rolled back within a minute.
func TestTenfoldErrorsAreRolledBack(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.flaky(0.005)
	canary.flaky(0.05)
	i := launch(t, tenth(stable, canary))
	stop := i.flood(t, busy())
	started := time.Now()
	view := i.await(t, time.Minute, "rolled back", rolledBack)
	took := time.Since(started)
	stop()
	t.Logf("%v, %d canary requests: %s", took, canary.requests.Load(), view.Verdict.Sentence())
	if !strings.Contains(view.Reason, "errors") {
		t.Errorf("the reason is %q", view.Reason)
	}
}

// Two in five requests of both variants fail for twenty seconds: a hold, and nothing else. It goes on afterwards.
func TestOutageOfBothIsAHold(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, tenth(stable, canary))
	i.flood(t, busy())
	i.await(t, 20*time.Second, "evidence", func(v rollout.View) bool {
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
	i.await(t, 60*time.Second, "step 2 once both are well", func(v rollout.View) bool { return v.Step == 1 })
}
