package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	product "haldane/bench/process"
	"haldane/rollout"
)

// hole takes connections and never answers.
type hole struct {
	net.Listener
	taken atomic.Int64
}

func newHole(t *testing.T) *hole {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hole{Listener: listener}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var conns []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			h.taken.Add(1)
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return h
}

// notified is a section with targets of every type.
func notified(address string) string {
	text := "notifications:\n  targets:\n"
	for _, kind := range []string{"slack", "teams", "webhook", "alertmanager"} {
		text += fmt.Sprintf("    %s: {type: %s, url: \"http://%s/hunter2\"}\n", kind, kind, address)
	}
	return strings.Replace(text, "type: slack,", "type: slack, when: all,", 1)
}

// Targets that hang change nothing: a canary that fails every request is rolled back after as many requests as without them,
// and the end of the process waits for them for two seconds.
func TestRollbackWhileEveryTargetHangs(t *testing.T) {
	raced(t)
	void := newHole(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	canary.failing.Store(true)
	i := launch(t, release(stable, canary, "", "    pins: [{header: X-Version}]")+notified(void.Addr().String()))
	product.Until(t, "the first message hangs", func() bool { return void.taken.Load() > 0 })
	load := i.pace(t, 200, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	if reached := canary.requests.Load(); reached > 80 {
		t.Errorf("%d requests reached the canary, at most 80 may", reached)
	}
	expectNoMore(t, i, canary, load)
	product.Until(t, "every target is tried", func() bool { return void.taken.Load() >= 4 })
	if !strings.Contains(i.admin(t, "/metrics"), `haldane_notifications_queued{target="webhook"} 1`) {
		t.Error("the message does not wait")
	}
	began := time.Now()
	i.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the end took %v", took)
	}
}

// A target gets the rollback in a sentence, is put right by a reload, and learns of a reload that failed.
func TestNotificationsFollowAReload(t *testing.T) {
	raced(t)
	var mu sync.Mutex
	var bodies []string
	taking := newBackend(t, "hook")
	right := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/right" && strings.HasPrefix(r.Header.Get("Haldane-Signature"), "t=") {
			bodies = append(bodies, string(body))
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	taking.handle.Store(&right)
	told := func(texts ...string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			all := strings.Join(bodies, "\n")
			for _, text := range texts {
				if !strings.Contains(all, text) {
					return false
				}
			}
			return true
		}
	}
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	text := func(path string) string {
		return release(stable, canary, "    budget: {failed_requests: 10}", "") + fmt.Sprintf("notifications:\n  targets:\n"+
			"    hook: {type: webhook, url: \"http://%s%s\", secret: abcdefghijklmnop}\n", taking.address, path)
	}
	i := launch(t, text("/wrong"))
	canary.failing.Store(true)
	i.pace(t, 100, nil)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	product.Until(t, "the wrong place is tried", func() bool { return taking.requests.Load() > 0 })
	writeConfig(t, i.config, text("/right"))
	product.Until(t, "the rollback is told of", told("haldane.rollout.rolled_back", "shop: v2 rolled back after", "the budget is spent", "haldane retry shop"))
	writeConfig(t, i.config, text("/right")+"\nnonsense: true\n")
	product.Until(t, "the reload is told of", told("haldane.configuration.reload_failed", "nonsense: unknown key"))
	if v, there := i.Rollouts().View("shop"); !there || v.Phase != rollout.PhaseRolledBack {
		t.Errorf("the rollout is %+v", v)
	}
	if shown := i.admin(t, "/api/v1/config"); strings.Contains(shown, "abcdefghijklmnop") || strings.Contains(shown, taking.address+"/right") {
		t.Errorf("the API shows a secret:\n%s", shown)
	}
}
