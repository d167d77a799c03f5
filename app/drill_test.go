//go:build !race

package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"haldane/admin"
	"haldane/config"
	"haldane/rollout"
)

// A drill goes through the real parts and touches nothing that is real.
func TestDrill(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, release(stable, canary, "    budget: {failed_requests: 1000}", ""))
	i.await(t, 10*time.Second, "progressing", func(v rollout.View) bool { return v.Phase == rollout.PhaseProgressing })
	before := i.view(t)
	// Two at once: one of them is told that there is another one.
	type outcome struct {
		drill admin.Drill
		err   error
	}
	outcomes := make(chan outcome, 2)
	for range 2 {
		go func() {
			d, err := i.Drill(t.Context(), admin.DrillOrder{Service: "shop", Weight: config.Whole / 2, Actor: "ann@desk"})
			outcomes <- outcome{d, err}
		}()
	}
	if second := <-outcomes; !errors.Is(second.err, admin.ErrDrilling) {
		t.Fatalf("%+v", second)
	}
	first := <-outcomes
	if first.err != nil {
		t.Fatal(first.err)
	}
	got := first.drill
	t.Logf("%+v", got)
	if !got.RolledBack || got.Trigger != "check" || got.Failures == 0 || got.Canary != got.Failures || got.After != 0 || got.Rule == "" ||
		got.Revocation <= 0 || time.Duration(got.Revocation) > 20*time.Second || got.Last > got.Revocation+config.Duration(50*time.Millisecond) ||
		got.Verdict > got.Revocation || got.Requests <= got.Canary {
		t.Errorf("%+v", got)
	}
	if stable.requests.Load()+canary.requests.Load() != 0 {
		t.Error("the drill asked a real variant")
	}
	if after := i.view(t); after.Phase != before.Phase || after.SplitRevision != before.SplitRevision || after.Stage.Requests != 0 || len(after.History) != len(before.History) {
		t.Errorf("the drill moved the rollout: %+v", after)
	}
	if text := i.admin(t, "/metrics"); strings.Contains(text, `service="drill"`) {
		t.Error("the drill is in the metrics")
	}
	if text := i.admin(t, "/api/v1/audit"); !strings.Contains(text, `"command":"drill"`) || !strings.Contains(text, "rolled back after ") || !strings.Contains(text, "ann@desk") {
		t.Errorf("audit %s", text)
	}
}

// The budget of the policy counts, and a drill ends with the one who asked for it.
func TestDrillOfABudget(t *testing.T) {
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, release(stable, canary, "    budget: {failed_requests: 2}", ""))
	got, err := i.Drill(t.Context(), admin.DrillOrder{Service: "shop", Weight: config.Whole / 2})
	if err != nil || !got.RolledBack || got.Trigger != "budget" || got.Failures < 2 || got.Failures > 2+8 || got.Revocation > got.Verdict {
		t.Errorf("%+v, error %v", got, err)
	}
	t.Logf("%+v", got)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Drill(ctx, admin.DrillOrder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := i.Drill(t.Context(), admin.DrillOrder{Service: "none"}); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("error %v", err)
	}
	// A process that stops waits for no drill, whether it has begun or not.
	done := make(chan error, 1)
	go func() {
		_, err := i.Drill(context.Background(), admin.DrillOrder{Service: "shop", Errors: 1}) // one that finds nothing
		done <- err
	}()
	began := time.Now()
	i.stop()
	if err := <-done; err == nil || !errors.Is(err, admin.ErrDrilling) && !strings.Contains(err.Error(), "stopping") || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: error %v", time.Since(began), err)
	}
}
