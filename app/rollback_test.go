package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"haldane/rollout"
)

// release is a service with a canary at 10 % and default checks. extra goes into the policy, service into the service.
func release(stable, canary *backend, extra, service string) string {
	return underTest(stable, canary, "    steps: [{weight: 10%, duration: 60s}]\n"+extra) + "    variant_field: X-Variant\n" + service + "\n"
}

// underTest is a service with two versions and a policy, of which the lines are given. More lines of the service may follow.
func underTest(stable, canary *backend, policy string) string {
	return preamble + fmt.Sprintf(`
policies:
  test:
%s
services:
  shop:
    variants:
      v1: {endpoints: [%s]}
      v2: {endpoints: [%s]}
    stable: v1
    canary: v2
    policy: test
`, policy, stable.address, canary.address)
}

func rolledBack(v rollout.View) bool { return v.Phase == rollout.PhaseRolledBack }

// The tests of this file run alone, not beside each other: they count what reaches a canary within some time.

// A canary that fails every request at 10 % of 200 requests a second is out after at most 80 requests, on evidence from
// at least three separate seconds, and gets not one more afterwards, pins included.
func TestDeadCanaryIsRolledBack(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	i := launch(t, release(stable, canary, "", "    pins: [{header: X-Version}]"))
	load := i.pace(t, 200, nil)
	started := time.Now()
	view := i.await(t, 20*time.Second, "rolled back", rolledBack)
	took := time.Since(started)
	reached := canary.requests.Load()
	if reached > 80 {
		t.Errorf("%d requests reached the canary, at most 80 may", reached)
	}
	if took < time.Second {
		t.Errorf("rolled back after %v: three separate seconds cannot have spoken", took)
	}
	expectNoMore(t, i, canary, load)
	t.Logf("%d canary requests, %v, %s", reached, took, view.Verdict.Sentence())
}

// The budget ends the same rollout after its number of failures, of failures that stable has not, or of requests that are slow.
func TestBudgetStopsADeadCanary(t *testing.T) {
	for _, budget := range []string{"{failed_requests: 10}", "{excess_failures: 10}", "{slow_requests: 10, slow_after: 1us}"} {
		t.Run(budget, func(t *testing.T) { budgetStopsADeadCanary(t, budget) })
	}
}

func budgetStopsADeadCanary(t *testing.T, budget string) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	i := launch(t, release(stable, canary, "    budget: "+budget, "    pins: [{header: X-Version}]"))
	load := i.pace(t, 200, nil)
	view := i.await(t, 20*time.Second, "rolled back", rolledBack)
	if end := view.History[len(view.History)-1]; end.Trigger != rollout.TriggerBudget {
		t.Errorf("%s: %s", end.Trigger, end.Reason)
	}
	inFlight := int64(2)
	if raceEnabled {
		inFlight = 20 // requests take so long under the race detector that more of them are on their way at once
	}
	if reached := canary.requests.Load(); reached < 10 || reached > 10+inFlight {
		t.Errorf("%d requests reached the canary, want 10 and at most %d in flight", reached, inFlight)
	}
	expectNoMore(t, i, canary, load)
}

// With a thousand users who stay on their side, and a few requests that ask for the canary by name while it is dying.
func TestDeadCanaryWithManyStickyUsersAndPins(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	i := launch(t, release(stable, canary, "", `
    sticky: {cookie: uid}
    pins: [{header: X-Version}]`))
	load := i.pace(t, 200, func(n int, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "uid", Value: fmt.Sprintf("user-%d", n%1000)})
		if n%200 == 0 {
			r.Header.Set("X-Version", "v2")
		}
	})
	view := i.await(t, 20*time.Second, "rolled back", rolledBack)
	reached := canary.requests.Load()
	t.Logf("%d canary requests, %s", reached, view.Verdict.Sentence())
	if reached > 80 {
		t.Errorf("%d requests reached the canary, at most 80 may", reached)
	}
	expectNoMore(t, i, canary, load)
}

// With only five users who stay on their side, and requests that ask for the canary by name.
func TestDeadCanaryWithFewStickyUsers(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	i := launch(t, release(stable, canary, "", `
    sticky: {cookie: uid}
    pins: [{header: X-Version}]`))
	users := usersOnBothSides(t, i, 5)
	before := canary.requests.Load()
	started := time.Now()
	load := i.pace(t, 200, func(n int, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "uid", Value: users[n%len(users)]})
	})
	view := i.await(t, 20*time.Second, "rolled back", rolledBack)
	t.Logf("%d canary requests, %v, %s", canary.requests.Load()-before, time.Since(started), view.Verdict.Sentence())
	if reached := canary.requests.Load() - before; reached > 160 {
		t.Errorf("%d requests of one user of five reached the canary", reached)
	}
	expectNoMore(t, i, canary, load)
}

// usersOnBothSides finds that many users of whom exactly one is drawn for the canary.
func usersOnBothSides(t *testing.T, i *instance, want int) []string {
	t.Helper()
	client := newClient(t)
	var users []string
	canaries := 0
	for n := 0; len(users) < want; n++ {
		user := fmt.Sprintf("user-%d", n)
		got := i.get(client, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "uid", Value: user}) })
		if got.err != nil {
			t.Fatal(got.err)
		}
		isCanary := got.variant == "v2"
		if isCanary && canaries == 1 || !isCanary && len(users)-canaries == want-1 {
			continue
		}
		if isCanary {
			canaries++
		}
		users = append(users, user)
	}
	return users
}

// expectNoMore sends on, by split and by pin, and fails when anything still reaches the canary. What was on its way when the
// rollback happened is waited for first.
func expectNoMore(t *testing.T, i *instance, canary *backend, load *load) {
	t.Helper()
	load.stop()
	before := canary.requests.Load()
	client := newClient(t)
	for n := range 500 {
		got := i.get(client, func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: "uid", Value: fmt.Sprintf("user-%d", n%50)})
			if n%2 == 0 {
				r.Header.Set("X-Version", "v2")
			}
		})
		if got.err != nil || got.status != http.StatusOK || got.variant != "v1" {
			t.Fatalf("request %d after the rollback: %+v", n, got)
		}
	}
	if after := canary.requests.Load(); after != before {
		t.Errorf("%d requests reached the canary after it was rolled back", after-before)
	}
	if lost := load.lost.Load(); lost != 0 {
		t.Errorf("%d requests got no answer", lost)
	}
}
