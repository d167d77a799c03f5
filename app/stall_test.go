package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// hangs lets every request wait until it is released or its client leaves. It says when the first one came.
func (b *backend) hangs() (release func(), first <-chan time.Time) {
	released, came := make(chan struct{}), make(chan time.Time, 1)
	var handle http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		select {
		case came <- time.Now():
		default:
		}
		select {
		case <-released:
		case <-r.Context().Done():
		}
		fmt.Fprintln(w, "late")
	}
	b.handle.Store(&handle)
	return sync.OnceFunc(func() { close(released) }), came
}

// With everything at its default, a canary that never answers is out 8.5 s after the first request that it left hanging, and
// whoever waits for it can still be answered. With a budget it is out as soon as that many have stalled.
func TestHangingCanaryIsRolledBack(t *testing.T) {
	for _, test := range []struct {
		name            string
		rate            int
		policy, service string
		least, most     time.Duration
	}{
		{"100 a second", 100, "", "", 6 * time.Second, 8500 * time.Millisecond},
		{"200 a second", 200, "", "", 6 * time.Second, 8500 * time.Millisecond},
		{"budget", 100, "    budget: {failed_requests: 10}", "    stall_timeout: 1s", time.Second, 3500 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
			letGo, first := canary.hangs()
			t.Cleanup(letGo)
			i := launch(t, release(stable, canary, test.policy, test.service))
			load := i.pace(t, test.rate, nil)
			view := i.await(t, 15*time.Second, "rolled back", rolledBack)
			took := time.Since(<-first)
			t.Logf("%d canary requests, %v after the first: %s", canary.requests.Load(), took, view.Reason)
			if took < test.least || took > test.most {
				t.Errorf("rolled back after %v, want from %v to %v", took, test.least, test.most)
			}
			load.cancel()
			letGo()
			expectNoMore(t, i, canary, load)
			if n := load.failed.Load(); n != 0 {
				t.Errorf("%d requests were answered with an error", n)
			}
			metrics := i.admin(t, "/metrics")
			if !strings.Contains(metrics, `haldane_stalled_requests_total{service="shop",variant="v1"} 0`) ||
				strings.Contains(metrics, `haldane_stalled_requests_total{service="shop",variant="v2"} 0`) {
				t.Error("the metrics do not tell that requests of v2 have stalled, and none of v1")
			}
		})
	}
}
