package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/rollout"
)

// checked is a service with a canary at 20 % under the given checks, of latency under none: answers of a busy machine are slow
// now and then.
func checked(stable, canary *backend, checks string) string {
	return underTest(stable, canary, `    steps: [{weight: 20%, duration: 5m, max_duration: 10m}]
    checks: {latency: "off"`+checks+`}`)
}

// sometimes lets a backend do something else with a share of its requests.
func (b *backend) sometimes(share float64, do http.HandlerFunc) {
	handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.Float64() < share {
			do(w, r)
			return
		}
		fmt.Fprintln(w, "done")
	})
	b.handle.Store(&handle)
}

func answering(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// checkOf finds a check of a view.
func checkOf(t *testing.T, v rollout.View, name string) analysis.CheckVerdict {
	t.Helper()
	for _, c := range v.Verdict.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %s: %+v", name, v.Verdict)
	return analysis.CheckVerdict{}
}

// A canary that turns a tenth of its requests away with a 429 is rolled back by a check of that, and by an error rate that
// counts it. By default it is not: no answer is a 5xx.
func TestThrottlingCanary(t *testing.T) {
	for _, test := range []struct {
		name, checks, reason string
	}{
		{"event", `, events: {throttled: {statuses: ["429"]}}`, "the check throttled failed"},
		{"errors", `, errors: {statuses: ["429", "5xx"]}`, "the check errors failed"},
		{"default", ``, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
			canary.sometimes(0.1, answering(http.StatusTooManyRequests))
			i := launch(t, checked(stable, canary, test.checks))
			stop := i.flood(t, 400)
			started := time.Now()
			view := i.await(t, 40*time.Second, "rolled back or shown to be good", func(v rollout.View) bool {
				return rolledBack(v) || test.reason == "" && v.Stage.Judged >= 800
			})
			stop()
			t.Logf("%v, %d canary requests: %s", time.Since(started), view.Stage.Judged, view.Verdict.Sentence())
			if test.reason == "" {
				if c := checkOf(t, view, "errors"); rolledBack(view) || c.CanaryBad > c.CanaryTotal/100 {
					t.Errorf("%s: %s", view.Reason, c.Sentence)
				}
				return
			}
			if view.Reason != test.reason {
				t.Errorf("rolled back because %q: %s", view.Reason, view.Verdict.Sentence())
			}
			series := `haldane_request_outcomes_total{outcome="status",service="shop",variant="v2"} `
			_, number, found := strings.Cut(i.admin(t, "/metrics"), series)
			if counted := !strings.HasPrefix(number, "0\n"); !found || counted != (test.name == "errors") {
				t.Errorf("%s%.8s", series, number)
			}
		})
	}
}

// A canary that does not find what stable finds is shown by a muted check, which is not acted on.
func TestMutedCheckIsShown(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.sometimes(0.01, answering(http.StatusNotFound))
	canary.sometimes(0.2, answering(http.StatusNotFound))
	i := launch(t, checked(stable, canary, `, events: {missing: {statuses: ["404"], muted: true}}`))
	stop := i.flood(t, 400)
	view := i.await(t, 40*time.Second, "shown", func(v rollout.View) bool {
		return len(v.Verdict.Checks) == 2 && checkOf(t, v, "missing").Class == analysis.Fail
	})
	more := view.Stage.Judged + 200
	view = i.await(t, 20*time.Second, "more requests", func(v rollout.View) bool { return v.Stage.Judged >= more })
	stop()
	c := checkOf(t, view, "missing")
	t.Log(c.Sentence)
	if view.Phase != rollout.PhaseProgressing || view.Verdict.Class == analysis.Fail {
		t.Errorf("%s: %s", view.Phase, view.Reason)
	}
	if page := i.admin(t, "/api/v1/rollouts/shop"); !strings.Contains(page, `"name":"missing","class":"fail"`) {
		t.Errorf("the API does not show it: %s", page)
	}
}

// Clients do not wait for a tenth of the canary's answers. That is no failure of the canary, and it has a check of its own.
func TestClientsThatGiveUpOnTheCanary(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.sometimes(0.1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	i := launch(t, checked(stable, canary, `, events: {left: {outcomes: [client_gone]}}`))
	client := newClient(t)
	client.Timeout = 500 * time.Millisecond
	stop := i.floodFrom(t, client, 400)
	view := i.await(t, 40*time.Second, "rolled back", rolledBack)
	stop()
	t.Logf("%d canary requests: %s", view.Stage.Judged, view.Verdict.Sentence())
	if view.Reason != "the check left failed" || !strings.Contains(view.Verdict.Sentence(), "given up by the client") {
		t.Errorf("rolled back because %q: %s", view.Reason, view.Verdict.Sentence())
	}
	left, failed := checkOf(t, view, "left"), checkOf(t, view, "errors")
	if failed.CanaryBad > failed.CanaryTotal/100 || left.CanaryTotal != failed.CanaryTotal+left.CanaryBad {
		t.Errorf("%+v\n%+v", left, failed)
	}
}
