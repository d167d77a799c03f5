package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rescued is what a service needs to be rescued from every answer of 500 and more.
const rescued = "    rescue: {statuses: [5xx]}"

// A canary that fails every GET costs no client a failed one, and is rolled back as fast as without rescue. A POST is not
// repeated: it fails, once.
func TestRescueOfADeadCanary(t *testing.T) {
	took := make(map[string]time.Duration)
	for _, service := range []string{"", rescued} {
		stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
		canary.failing.Store(true)
		i := launch(t, release(stable, canary, "", service))
		load := i.pace(t, 200, nil)
		started := time.Now()
		view := i.await(t, 20*time.Second, "rolled back", rolledBack)
		took[service] = time.Since(started)
		reached := canary.requests.Load()
		if reached > 80 {
			t.Errorf("%q: %d requests reached the canary, at most 80 may", service, reached)
		}
		expectNoMore(t, i, canary, load)
		failed := load.failed.Load() + load.lost.Load()
		if service == rescued && failed != 0 {
			t.Errorf("%d of %d clients saw a failure", failed, load.sent.Load())
		}
		if service == "" && failed == 0 {
			t.Error("without rescue nobody saw a failure: the test shows nothing")
		}
		t.Logf("%q: %d canary requests, %d seen by clients, %v, %s", service, reached, failed, took[service], view.Verdict.Sentence())
	}
	if took[rescued] > took[""]+2*time.Second {
		t.Errorf("rolled back after %v with rescue, after %v without", took[rescued], took[""])
	}
}

// The same where the canary takes half of the traffic, which is more than the retry budget: the rescues take turns.
func TestRescueOfHalfTheTraffic(t *testing.T) {
	raced(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	text := release(stable, canary, "", rescued)
	i := launch(t, strings.Replace(text, "weight: 10%", "weight: 50%", 1))
	load := i.pace(t, 300, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	load.stop()
	if failed := load.failed.Load() + load.lost.Load(); failed != 0 {
		t.Errorf("%d of %d clients saw a failure", failed, load.sent.Load())
	}
	metrics := i.admin(t, "/metrics")
	for _, series := range []string{
		fmt.Sprintf(`haldane_request_outcomes_total{outcome="server_error",service="shop",variant="v2"} %d`, canary.requests.Load()),
		fmt.Sprintf(`haldane_rescues_total{result="ok",service="shop"} %d`, canary.requests.Load()),
		`haldane_client_requests_total{outcome="server_error",service="shop"} 0`,
	} {
		if !strings.Contains(metrics, series) {
			t.Errorf("the metrics do not say %s", series)
		}
	}
}

// Whatever happens, a POST reaches the two variants once.
func TestAPostIsNeverRepeated(t *testing.T) {
	raced(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	var seen [2000]atomic.Int32
	count := func(status int) *http.HandlerFunc {
		handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var n int
			if _, err := fmt.Sscan(r.Header.Get("X-Number"), &n); err == nil {
				seen[n].Add(1)
			}
			if status == 0 {
				panic(http.ErrAbortHandler) // cuts the connection
			}
			w.WriteHeader(status)
		})
		return &handle
	}
	stable.handle.Store(count(200))
	canary.handle.Store(count(0))
	i := launch(t, release(stable, canary, "", rescued))
	load := i.pace(t, 200, func(n int, r *http.Request) {
		r.Method = http.MethodPost
		r.Header.Set("X-Number", fmt.Sprint(n))
	})
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	load.stop()
	for n := range load.sent.Load() {
		if times := seen[n].Load(); times != 1 {
			t.Errorf("request %d arrived %d times", n, times)
		}
	}
	if load.failed.Load() == 0 {
		t.Error("no POST failed: the test shows nothing")
	}
}
