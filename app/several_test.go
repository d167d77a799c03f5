//go:build !race

package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	product "haldane/bench/process"
	"haldane/report"
	"haldane/rollout"
)

// chain is three services, each of which comes after the one before, under a quick policy. shop has a canary or not.
func chain(address, admin string, backends map[string]*backend, shop bool) string {
	text := fmt.Sprintf(`
version: 1
listen: {address: %q}
admin: {address: %q}
state: {store: file, directory: "%%DIR%%/state"}
policies:
  quick:
    steps: [{weight: 20%%, duration: 500ms, min_requests: 10}, {weight: 50%%, duration: 500ms, min_requests: 10}]
    bake: {duration: 0s}
    checks: {warm_up: 0s, latency: off, errors: {absolute: 1%%, min_requests: 20}}
services:
`, address, admin)
	before := ""
	for _, name := range []string{"catalog", "payments", "shop"} {
		text += fmt.Sprintf(`
  %[1]s:
    match: [{host: %[1]s.test}]
    variants: {v1: {endpoints: [%[2]q]}, v2: {endpoints: [%[3]q]}}
    stable: v1
    policy: quick
    variant_field: X-Variant
`, name, backends[name+" v1"].address, backends[name+" v2"].address)
		if name != "shop" || shop {
			text += "    canary: v2\n"
		}
		if before != "" {
			text += fmt.Sprintf("    after: [%s]\n", before)
		}
		before = name
	}
	return text
}

// page reads JSON of the admin side.
func (p *process) page(t *testing.T, path string, into any) {
	t.Helper()
	response, err := http.Get("http://" + p.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// drive sends requests to all services until the condition holds.
func (p *process) drive(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		for _, name := range []string{"catalog", "payments", "shop"} {
			if got := fetch(http.DefaultClient, "http://"+p.address+"/", func(r *http.Request) { r.Host = name + ".test" }); got.err != nil {
				t.Fatal(got.err)
			}
		}
		if holds() {
			return
		}
		if time.Now().After(deadline) {
			var all map[string]any
			p.page(t, "/api/v1/rollouts", &all)
			t.Fatalf("not within a minute: %s; the rollouts are %v", what, all)
		}
	}
}

// view is the state of one rollout.
func (p *process) view(t *testing.T, service string) rollout.View {
	t.Helper()
	var v rollout.View
	p.page(t, "/api/v1/rollouts/"+service, &v)
	return v
}

// report is the report on the last rollout of a service that ended.
func (p *process) report(t *testing.T, service string) report.Report {
	t.Helper()
	var list struct {
		Ended []report.Summary `json:"ended"`
	}
	p.page(t, "/api/v1/services/"+service+"/history", &list)
	if len(list.Ended) == 0 {
		t.Fatalf("%s has no history", service)
	}
	var r report.Report
	p.page(t, "/api/v1/reports/"+list.Ended[0].ID, &r)
	return r
}

// Three services with dependencies, one of them bad: catalog is promoted, then payments is released and rolled back, and shop,
// which comes after it, never begins. The reports say why; a killed process says the same after its restart.
func TestThreeServicesOneOfThemBad(t *testing.T) {
	binary := build(t)
	backends := map[string]*backend{}
	for _, name := range []string{"catalog", "payments", "shop"} {
		backends[name+" v1"], backends[name+" v2"] = newBackend(t, "v1"), newBackend(t, "v2")
	}
	backends["payments v2"].failing.Store(true)
	address, admin := product.FreeAddress(t), product.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	writeConfig(t, path, chain(address, admin, backends, true))
	p := spawn(t, binary, path, address, admin)

	if v := p.view(t, "shop"); v.Phase != rollout.PhasePending || !strings.HasPrefix(v.Reason, "waits for payments") {
		t.Errorf("shop is %s: %s", v.Phase, v.Reason)
	}
	if got := backends["payments v2"].requests.Load(); got != 0 {
		t.Errorf("%d requests reached the canary of payments before catalog was promoted", got)
	}
	p.drive(t, "catalog is promoted", func() bool { return p.view(t, "catalog").Phase == rollout.PhasePromoted })
	p.drive(t, "payments is rolled back", func() bool { return p.view(t, "payments").Phase == rollout.PhaseRolledBack })
	const why = "waits for payments, which was rolled back: the check errors failed"
	p.drive(t, "shop says why it waits", func() bool { return p.view(t, "shop").Reason == why })

	p.kill()
	p = spawn(t, binary, path, address, admin)
	for service, want := range map[string]rollout.Phase{
		"catalog": rollout.PhasePromoted, "payments": rollout.PhaseRolledBack, "shop": rollout.PhasePending,
	} {
		if v := p.view(t, service); v.Phase != want {
			t.Errorf("after the restart %s is %s (%s), want %s", service, v.Phase, v.Reason, want)
		}
	}
	if v := p.view(t, "shop"); v.Reason != why || !v.NeedsPerson {
		t.Errorf("after the restart shop is where it is because %q", v.Reason)
	}
	if got := backends["shop v2"].requests.Load(); got != 0 {
		t.Errorf("%d requests reached the canary of shop", got)
	}

	if r := p.report(t, "catalog"); r.Result != report.Promoted {
		t.Errorf("the report on catalog: %s, %s", r.Result, r.Rule)
	}
	bad := p.report(t, "payments")
	if bad.Result != report.RolledBack || !strings.HasPrefix(bad.Rule, "the check errors failed") ||
		!slices.Equal(bad.Relations.HeldBack, []string{"shop"}) || !slices.Equal(bad.Relations.After, []string{"catalog"}) {
		t.Errorf("the report on payments: %s, %s, %+v", bad.Result, bad.Rule, bad.Relations)
	}
	// The release of shop is taken out of the file: now it ends, without ever having begun.
	writeConfig(t, path, chain(address, admin, backends, false))
	product.Until(t, "shop has no rollout any more", func() bool {
		response, err := http.Get("http://" + admin + "/api/v1/rollouts/shop")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode == http.StatusNotFound
	})
	never := p.report(t, "shop")
	if want := "it never began, it waited for payments, which was rolled back: the check errors failed"; never.Result != report.Superseded ||
		!strings.Contains(never.Rule, want) || !never.Started.IsZero() {
		t.Errorf("the report on shop: %s, %s", never.Result, never.Rule)
	}
}
