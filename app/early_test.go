//go:build !race

package app_test

import (
	"net/http"
	"testing"
	"time"

	"haldane/rollout"
)

// Whoever opted in is on the canary, by a word of their own or by their tenant's; the budget takes them back.
func TestEarlyUsersGetTheCanary(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, underTest(stable, canary, `    steps: [{opt_in: beta, stage: early, duration: 1h, max_duration: 2h}, 5%]
    budget: {failed_requests: 3}`)+`    variant_field: X-Variant
    policy_overrides: {budget: {failed_requests: 2}}
    tenants: {header: X-Tenant}
    opt_in: {cookie: early, tenants: {acme: beta}}
`)
	client := newClient(t)
	expect := func(what, want string, edit func(*http.Request)) {
		t.Helper()
		if got := i.get(client, edit); got.variant != want || got.err != nil {
			t.Errorf("%s: %+v, want %s", what, got, want)
		}
	}
	wants := func(level string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "early", Value: level}) }
	}
	expect("nobody", "v1", nil)
	expect("alpha", "v2", wants("alpha"))
	expect("beta", "v2", wants("beta"))
	expect("ga", "v1", wants("ga"))
	expect("a tenant", "v2", func(r *http.Request) { r.Header.Set("X-Tenant", "acme") })
	expect("not with the tenant", "v1", func(r *http.Request) { r.Header.Set("X-Tenant", "acme"); wants("ga")(r) })
	v := i.await(t, 5*time.Second, "on the stage", func(v rollout.View) bool { return v.Stage.Requests == 3 })
	if v.Stage.Stage != "early" || v.OptIn != "beta" || v.Policy != "test (overridden)" || v.Budget.Limit != 2 {
		t.Errorf("%+v", v)
	}
	canary.failing.Store(true)
	for range 2 {
		i.get(client, wants("beta"))
	}
	i.await(t, 5*time.Second, "rolled back", rolledBack)
	expect("after the rollback", "v1", wants("alpha"))
}
