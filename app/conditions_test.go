package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/rollout"
)

// quick is a policy with short steps, so that a test can wait for one to pass.
const quick = `
policies:
  test:
    steps:
      - {weight: 20%%, duration: 4s}
      - {weight: 50%%, duration: 60s}
    checks: {errors: {absolute: 1%%}}
    bake: {duration: 0s}
services:
  shop:
    variants:
      v1: {endpoints: [%s]}
      v2: {endpoints: [%s]}
    stable: v1
    canary: v2
    policy: test
    variant_field: X-Variant
    sticky: {header: X-User}
`

func quickRelease(stable, canary *backend) string {
	return preamble + fmt.Sprintf(quick, stable.address, canary.address)
}

// Traffic that stops in mid-step holds the rollout, with the reason; it neither fails nor goes on, and goes on when traffic
// is back.
func TestTrafficStopsInMidStep(t *testing.T) {
	raced(t)
	t.Parallel()
	i := launch(t, quickRelease(newBackend(t, "v1"), newBackend(t, "v2")))
	load := i.pace(t, 200, nil)
	i.await(t, 10*time.Second, "evidence on step 1", func(v rollout.View) bool {
		return v.Phase == rollout.PhaseProgressing && v.Step == 0 && len(v.Verdict.Checks) > 0 && v.Verdict.Checks[0].CanaryTotal > 30
	})
	load.stop()
	held := i.await(t, 10*time.Second, "held", func(v rollout.View) bool { return v.Hold != "" })
	if held.Phase != rollout.PhaseProgressing || held.Step != 0 {
		t.Errorf("held in phase %v at step %d", held.Phase, held.Step)
	}
	if !strings.Contains(string(held.Hold), "traffic") {
		t.Errorf("the reason is %q", held.Hold)
	}
	i.pace(t, 200, nil)
	i.await(t, 20*time.Second, "step 2", func(v rollout.View) bool { return v.Step == 1 })
}

// Both variants fail at once: the rollout holds, and nobody is blamed.
func TestBothVariantsFail(t *testing.T) {
	unraced(t)
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, quickRelease(stable, canary))
	i.pace(t, 200, nil)
	i.await(t, 10*time.Second, "evidence", func(v rollout.View) bool {
		return len(v.Verdict.Checks) > 0 && v.Verdict.Checks[0].CanaryTotal > 20
	})
	stable.failing.Store(true)
	canary.failing.Store(true)
	i.await(t, 10*time.Second, "held", func(v rollout.View) bool { return v.Hold != "" })
	deadline := time.After(6 * time.Second) // longer than the step
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-tick.C:
			if v := i.view(t); v.Phase != rollout.PhaseProgressing || v.Step != 0 {
				t.Fatalf("phase %v, step %d, while both fail", v.Phase, v.Step)
			}
		case <-deadline:
			waiting = false
		}
	}
	stable.failing.Store(false)
	canary.failing.Store(false)
	i.await(t, 60*time.Second, "step 2 once both are well", func(v rollout.View) bool { return v.Step == 1 })
}

// A hundred reloads under load lose no request, and leave the rollout and its evidence alone.
func TestReloadStorm(t *testing.T) {
	raced(t)
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	text := strings.Replace(quickRelease(stable, canary), "duration: 4s", "duration: 10m", 1)
	i := launch(t, text)
	load := i.pace(t, 300, nil)
	i.await(t, 10*time.Second, "evidence", func(v rollout.View) bool {
		return len(v.Verdict.Checks) > 0 && v.Verdict.Checks[0].CanaryTotal > 50
	})
	before := i.view(t)
	for n := range 100 {
		// Something changes each time, so that every reload builds a new snapshot.
		writeConfig(t, i.config, text+fmt.Sprintf("    request_id_field: X-Request-%d\n", n))
		if err := i.Reload(); err != nil {
			t.Fatal(err)
		}
		if got := i.get(http.DefaultClient, nil); got.err != nil || got.status != 200 {
			t.Fatalf("request between reloads: %+v", got)
		}
	}
	after := i.view(t)
	if after.ID != before.ID || after.Phase != rollout.PhaseProgressing || after.Step != 0 {
		t.Errorf("the rollout was %s %v, is %s %v at step %d", before.ID, before.Phase, after.ID, after.Phase, after.Step)
	}
	if after.Verdict.Checks[0].CanaryTotal < before.Verdict.Checks[0].CanaryTotal {
		t.Errorf("evidence went from %d requests to %d", before.Verdict.Checks[0].CanaryTotal, after.Verdict.Checks[0].CanaryTotal)
	}
	load.stop()
	if load.lost.Load()+load.failed.Load() != 0 {
		t.Errorf("%d lost and %d failed of %d", load.lost.Load(), load.failed.Load(), load.sent.Load())
	}
}

// A broken file changes nothing, and is visible where people look.
func TestBrokenFileChangesNothing(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	text := quickRelease(stable, canary)
	i := launch(t, text)
	writeConfig(t, i.config, strings.Replace(text, "stable: v1", "stabel: v1", 1))
	err := i.Reload()
	if err == nil || !strings.Contains(err.Error(), `stabel`) {
		t.Fatalf("reload of a broken file says %v", err)
	}
	if got := i.get(newClient(t), nil); got.status != 200 {
		t.Errorf("after a broken reload: %+v", got)
	}
	metrics := i.admin(t, "/metrics")
	if !strings.Contains(metrics, "haldane_config_last_reload_successful 0") {
		t.Error("the metric does not say that the reload failed")
	}
	if state := i.admin(t, "/api/v1/config"); !strings.Contains(state, "stabel") {
		t.Errorf("the API says %s", state)
	}
	writeConfig(t, i.config, text)
	if err := i.Reload(); err != nil {
		t.Fatal(err)
	}
	if metrics := i.admin(t, "/metrics"); !strings.Contains(metrics, "haldane_config_last_reload_successful 1") {
		t.Error("the metric does not say that the reload worked")
	}
}
