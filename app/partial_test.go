package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haldane/rollout"
)

// A canary that fails below /cart only: the cart goes back to stable, pins to the canary included, and the rest stays.
func TestPartialRollback(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	var cart, rest atomic.Int64
	handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/cart") {
			cart.Add(1)
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		rest.Add(1)
		fmt.Fprintln(w, "v2")
	})
	canary.handle.Store(&handle)
	i := launch(t, release(stable, canary, "    partial: {templates: {cart: \"/cart/*\", item: \"/items/*\"}, on_failure: part}\n",
		"    pins: [{header: X-Version}]"))
	paths := []string{"/cart", "/items/7", "/", "/search", "/cart/9"}
	i.pace(t, 300, func(n int, r *http.Request) { r.URL.Path = paths[n%len(paths)] })
	gone := func(v rollout.View) bool { return len(v.Parts) == 2 && !v.Parts[0].RolledBack.IsZero() }
	v := i.await(t, 9*time.Second, "the cart went back", gone)
	if v.Phase != rollout.PhaseProgressing || v.Weight == 0 || v.Parts[0].Name != "cart" || !v.Parts[1].RolledBack.IsZero() {
		t.Fatalf("the rollout is %+v", v)
	}
	if e := v.History[len(v.History)-1]; e.Kind != rollout.EventPartRolledBack || !strings.Contains(e.Reason, "cart") {
		t.Errorf("the last event is %+v", e)
	}
	reached, others := cart.Load(), rest.Load()
	if status, fields := i.pinned(t, "/cart/1"); status != http.StatusOK || fields.Get("Haldane-Refused") == "" || fields.Get("X-Variant") != "v1" {
		t.Errorf("a pin of the cart got %d and %v", status, fields)
	}
	if status, fields := i.pinned(t, "/items/1"); status != http.StatusOK || fields.Get("Haldane-Refused") != "" || fields.Get("X-Variant") != "v2" {
		t.Errorf("a pin of an item got %d and %v", status, fields)
	}
	i.await(t, 5*time.Second, "the rest goes on", func(v rollout.View) bool { return rest.Load() > others+20 && !rolledBack(v) })
	if now := cart.Load(); now > reached {
		t.Errorf("%d requests of the cart reached the canary afterwards", now-reached)
	}
	if text := i.admin(t, "/metrics"); !strings.Contains(text, `haldane_part_rolled_back{part="cart",service="shop"} 1`) ||
		!strings.Contains(text, `haldane_part_rolled_back{part="item",service="shop"} 0`) {
		t.Error("the metrics do not say so")
	}
}

// pinned is the answer to a request that names the canary.
func (i *instance) pinned(t *testing.T, path string) (int, http.Header) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+i.Address().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Version", "v2")
	response, err := newClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header
}
