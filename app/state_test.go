package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/report"
	"haldane/rollout"
)

// A state file that is damaged stops nobody: everything is served, by the stable variant, and it is said loudly.
func TestDamagedStateIsServedFromStable(t *testing.T) {
	raced(t)
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, release(stable, canary, "", ""))
	i.await(t, 10*time.Second, "progressing", func(v rollout.View) bool { return v.Phase == rollout.PhaseProgressing })
	i.stop()
	path := filepath.Join(filepath.Dir(i.config), "state", "haldane.db")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	for start, lost := range []string{"haldane_state_lost 1\n", "haldane_state_lost 0\n"} {
		i = launchFile(t, i.config)
		client := newClient(t)
		for range 100 {
			if got := i.get(client, nil); got.status != http.StatusOK || got.variant != "v1" {
				t.Fatalf("start %d: %+v", start, got)
			}
		}
		if v := i.view(t); v.Phase != rollout.PhaseRolledBack || !strings.Contains(v.Reason, ".damaged-") {
			t.Errorf("start %d: %s, %s", start, v.Phase, v.Reason)
		}
		if !strings.Contains(i.admin(t, "/metrics"), lost) {
			t.Errorf("start %d: the metrics do not have %s", start, lost)
		}
		i.stop()
	}
	if kept, err := filepath.Glob(path + ".damaged-*"); err != nil || len(kept) != 1 {
		t.Errorf("the damaged file is not kept: %v, error %v", kept, err)
	}
}

// What a rollout was is there after its end, and after a restart.
func TestReportEndToEnd(t *testing.T) {
	raced(t)
	t.Parallel()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, strings.Replace(release(stable, canary, "    budget: {failed_requests: 3}", ""), "store: file", "record: true, store: file", 1))
	canary.failing.Store(true)
	load := i.pace(t, 200, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	load.stop()
	for range 2 {
		var list struct{ Ended []report.Summary }
		if err := json.Unmarshal([]byte(i.admin(t, "/api/v1/services/shop/history")), &list); err != nil || len(list.Ended) != 1 {
			t.Fatalf("%+v, error %v", list, err)
		}
		text := i.admin(t, "/api/v1/reports/"+list.Ended[0].ID)
		got, err := report.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got.Result != report.RolledBack || got.Budget.Limit != 3 || got.Budget.Spent < 3 || got.Variants[0].Requests == 0 || len(got.PolicyHash) != 64 {
			t.Errorf("report %s", text)
		}
		if len(got.Configuration) != 64 || len(got.Endpoints) != 2 || got.Endpoints[1].Address != canary.address || got.Endpoints[1].Failed < 3 ||
			got.Endpoints[0].Requests == 0 || got.Endpoints[0].Failed != 0 {
			t.Errorf("endpoints %+v under %s", got.Endpoints, got.Configuration)
		}
		if len(got.Failures) != 3 || got.Failures[0].Status != 500 || got.Failures[0].Endpoint != canary.address ||
			!strings.HasPrefix(got.Failures[0].Curl, "curl ") || !strings.HasSuffix(got.Failures[0].Curl, "/'") {
			t.Errorf("failures %+v", got.Failures)
		}
		if got.Recording != nil {
			t.Error("the recording is shown to people")
		}
		whole, err := report.Parse([]byte(i.admin(t, "/api/v1/reports/"+got.ID+"?recording=true")))
		if err != nil || whole.Recording == nil {
			t.Fatalf("nothing was recorded, error %v", err)
		}
		policy := config.Careful()
		policy.Steps[0].Weight, policy.Budget.FailedRequests = config.Whole/10, 3
		if again := rollout.NewReplay(whole.Recording, &policy); again.Phase != rollout.PhaseRolledBack || again.Failed < 3 || again.Failed > got.Variants[1].Failed {
			t.Errorf("replayed: %+v", again)
		}
		if page := i.admin(t, "/api/v1/reports/"+got.ID+"?format=html"); !strings.HasPrefix(page, "<!doctype html>") || !strings.Contains(page, "<svg") {
			t.Errorf("page %.200s", page)
		}
		i.stop()
		i = launchFile(t, i.config)
	}
}
