package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	product "haldane/bench/process"
	"haldane/rollout"
)

// Hooks that hang keep no bad canary in service, and no end of the process waiting.
func TestRollbackWhileEveryHookHangs(t *testing.T) {
	raced(t)
	void := newHole(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	hook := fmt.Sprintf("[{name: a, url: \"http://%s/hunter2\", timeout: 1m}]", void.Addr())
	i := launch(t, release(stable, canary, "    hooks: {rollout: "+hook+", rollback: "+hook+", event: "+hook+", post_rollout: "+hook+"}\n",
		"    pins: [{header: X-Version}]"))
	product.Until(t, "three hooks hang", func() bool { return void.taken.Load() >= 3 })
	load := i.pace(t, 200, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	if reached := canary.requests.Load(); reached > 80 {
		t.Errorf("%d requests reached the canary, at most 80 may", reached)
	}
	expectNoMore(t, i, canary, load)
	product.Until(t, "the hook of the end is told", func() bool { return void.taken.Load() >= 4 })
	began := time.Now()
	i.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the end took %v", took)
	}
}

// A rollout goes as far as its hooks let it: down is no yes, refused is no yes, yes is; and a yes of the rollback hook ends it.
func TestHooksDecide(t *testing.T) {
	raced(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	var status, incident atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	incident.Store(http.StatusNotFound)
	var last atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/incident" {
			w.WriteHeader(int(incident.Load()))
			_, _ = io.WriteString(w, "SEV1 is open")
			return
		}
		last.Store(string(text))
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	i := launch(t, release(stable, canary, fmt.Sprintf("    hooks:\n      confirm_rollout: [{name: train, url: %q, every: 1s, retries: 0, metadata: {team: shop}}]\n"+
		"      rollback: [{name: pager, url: %q, every: 1s}]\n", server.URL+"/train", server.URL+"/incident"), ""))
	i.pace(t, 50, nil)
	held := func(answer rollout.HookAnswer) func(rollout.View) bool {
		return func(v rollout.View) bool {
			return v.Phase == rollout.PhasePending && v.Hold == rollout.HoldHook && len(v.Gates.Hooks) == 1 && v.Gates.Hooks[0].Answer == answer
		}
	}
	i.await(t, 10*time.Second, "silent", held(rollout.HookSilent))
	status.Store(http.StatusForbidden)
	i.await(t, 10*time.Second, "refused", held(rollout.HookRefused))
	if canary.requests.Load() > 0 {
		t.Error("requests reached the canary")
	}
	status.Store(http.StatusOK)
	i.await(t, 10*time.Second, "begun", func(v rollout.View) bool { return v.Phase == rollout.PhaseProgressing })
	if text, _ := last.Load().(string); !strings.Contains(text, `"point":"confirm_rollout"`) || !strings.Contains(text, `"team":"shop"`) {
		t.Errorf("the hook was sent %s", text)
	}
	incident.Store(http.StatusOK)
	v := i.await(t, 10*time.Second, "rolled back", rolledBack)
	if e := v.History[len(v.History)-1]; e.Trigger != rollout.TriggerHook || !strings.Contains(e.Reason, "pager ordered it: SEV1 is open") {
		t.Errorf("the end is %+v", e)
	}
	if text := i.admin(t, "/metrics"); !strings.Contains(text, `haldane_rollbacks_total{reason="hook",service="shop"} 1`) ||
		!strings.Contains(text, `haldane_hook_answers_total{answer="silent",hook="train",point="confirm_rollout",service="shop"}`) {
		t.Error("the metrics do not say so")
	}
}

// linked is where notifications come to, with the links that they hold.
type linked chan map[string]string

func newLinked(t *testing.T) (linked, string) {
	t.Helper()
	l := make(linked, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct {
			Data struct {
				Needs string            `json:"needs"`
				Links map[string]string `json:"links"`
			} `json:"data"`
		}
		_ = json.NewDecoder(r.Body).Decode(&event)
		if event.Data.Needs == "approval" {
			l <- event.Data.Links
		}
	}))
	t.Cleanup(server.Close)
	return l, server.URL
}

// next waits for a notification with links.
func (l linked) next(t *testing.T) map[string]string {
	t.Helper()
	select {
	case links := <-l:
		return links
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was asked for an approval")
		return nil
	}
}

// click follows a link to the admin listener as a browser does that is behind the public address.
func (i *instance) click(t *testing.T, method, link string) (int, string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, "http://"+i.AdminAddress().String()+u.RequestURI(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = u.Host
	if method == http.MethodPost {
		request.Header.Set("Origin", u.Scheme+"://"+u.Host)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := newClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// A person approves a step by the link of a notification, once; the audit says by which way.
func TestApprovalByLink(t *testing.T) {
	raced(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	told, address := newLinked(t)
	text := underTest(stable, canary, "    steps: [{weight: 10%, duration: 1s, min_requests: 1, approval: true}, {weight: 20%, duration: 1h}]\n") +
		fmt.Sprintf("notifications: {targets: {chat: {type: webhook, url: %q}}}\n", address)
	text = strings.Replace(text, `admin: {address: "127.0.0.1:0"}`, `admin: {address: "127.0.0.1:0", public_url: "https://haldane.example.com", read_token: 0123456789abcdef}`, 1)
	i := launch(t, text)
	i.pace(t, 100, nil)
	links := told.next(t)
	if status, page := i.click(t, http.MethodGet, links["promote"]); status != http.StatusOK || !strings.Contains(page, "Promote shop") {
		t.Fatalf("%d %s", status, page)
	}
	if v := i.view(t); v.Pause != rollout.PauseGate {
		t.Errorf("looking at a link did something: %s", v.Phase)
	}
	if status, page := i.click(t, http.MethodPost, links["promote"]); status != http.StatusOK {
		t.Errorf("%d %s", status, page)
	}
	v := i.view(t)
	if e := v.History[len(v.History)-1]; v.Step != 1 || e.Actor != "link (chat)" {
		t.Errorf("step %d, %+v", v.Step, e)
	}
	for _, link := range links {
		if status, page := i.click(t, http.MethodPost, link); status != http.StatusGone || !strings.Contains(page, "not at this step any more") {
			t.Errorf("a used link: %d %s", status, page)
		}
	}
	audit, err := i.Rollouts().Audit(10)
	if err != nil || len(audit) != 1 || audit[0].Actor != "link (chat)" || audit[0].Command != rollout.CommandPromote {
		t.Errorf("the audit is %+v, %v", audit, err)
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(i.config), "state", "link.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
}
