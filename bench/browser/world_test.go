//go:build !race

package browser

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

const (
	// operateToken and readToken are those of the process.
	operateToken = "operate-0123456789abcdef0123456789"
	readToken    = "read-0123456789abcdef0123456789abcd"
	// crowd is how many services there are beside those that are looked at closely.
	crowd = 192
)

// policies are short, so that a person need not wait; where one has to decide, they wait.
const policies = `
policies:
  byhand:
    steps:
      - {weight: 10%, duration: 1s, min_requests: 1, approval: true}
      - {weight: 50%, duration: 10m}
    checks: {errors: {absolute: 0.5%}, warm_up: 1s}
    budget: {failed_requests: 50, slow_requests: 100, slow_after: 2s}
    bake: {duration: 10m}
  listed:
    steps:
      - {weight: 20%, duration: 1s, min_requests: 1, checklist: [the dashboards are open, support was told]}
      - {weight: 50%, duration: 10m}
    bake: {duration: 10m}
  patient:
    steps:
      - {name: first users, weight: 5%, duration: 2s}
      - {weight: 25%, duration: 15m, max_duration: 1h}
      - {weight: 50%, duration: 15m, max_duration: 1h}
    checks: {errors: {absolute: 0.5%}, warm_up: 2s}
    budget: {failed_requests: 40, excess_failures: 20}
    bake: {duration: 30m, holdback: 10%}
  hasty:
    steps: [{weight: 20%, duration: 1s, min_requests: 5}]
    checks: {errors: {absolute: 0.5%}, warm_up: 1s}
    bake: {duration: 0s}
`

// world is a Haldane with many services, their backends, and their clients.
type world struct {
	t       *testing.T
	options process.Options
	control *httptest.Server
	good    *httptest.Server
	bad     *httptest.Server

	mu      sync.Mutex
	process *process.Process // guarded by mu

	answers atomic.Uint64
}

// newWorld starts everything but the clients.
func newWorld(t *testing.T, binary string) *world {
	w := &world{t: t}
	w.good = httptest.NewServer(backend(0))
	w.bad = httptest.NewServer(backend(0.3))
	t.Cleanup(w.good.Close)
	t.Cleanup(w.bad.Close)
	w.options = process.Options{Binary: binary, Config: w.configuration("")}
	w.process = process.Start(t, w.options)
	w.control = httptest.NewServer(w.controls())
	t.Cleanup(w.control.Close)
	return w
}

// backend answers within a few milliseconds, and fails a share of its requests.
func backend(failures float64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		late := time.NewTimer(time.Duration(1000+rand.ExpFloat64()*1500) * time.Microsecond)
		defer late.Stop()
		select {
		case <-late.C:
		case <-r.Context().Done():
			return
		}
		if rand.Float64() < failures {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "hello\n")
	})
}

// configuration is the file; what is added may be wrong.
func (w *world) configuration(added string) string {
	var b strings.Builder
	b.WriteString("version: 1\nlisten: {address: \"%ADDRESS%\"}\nlog: {level: warn}\nstate: {store: file, directory: \"%DIR%/state\"}\n")
	fmt.Fprintf(&b, "admin: {address: \"%%ADMIN%%\", token: %q, read_token: %q}\n", operateToken, readToken)
	b.WriteString(policies + "services:\n")
	for _, s := range [...]struct{ name, policy, start, canary string }{
		{"shop", "byhand", "manual", w.good.URL},
		{"cart", "listed", "auto", w.good.URL},
		{"search", "patient", "auto", w.good.URL},
		{"payments", "patient", "auto", w.bad.URL},
		{"images", "hasty", "auto", w.good.URL},
		{"mail", "patient", "manual", w.good.URL},
	} {
		fmt.Fprintf(&b, "  %s: {match: [{host: %s.example}], stable: v1, canary: v2, policy: %s, start: %s, variants: {v1: {endpoints: [%q]}, v2: {endpoints: [%q]}}}\n",
			s.name, s.name, s.policy, s.start, host(w.good), strings.TrimPrefix(s.canary, "http://"))
	}
	for i := range crowd {
		fmt.Fprintf(&b, "  team-%03d: {match: [{host: team-%03d.example}], stable: v1, variants: {v1: {endpoints: [%q]}}}\n", i, i, host(w.good))
	}
	return b.String() + added
}

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// clients send requests until the context ends: most of them to the services that are looked at, some to all others.
func (w *world) clients(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	var group sync.WaitGroup
	defer group.Wait()
	for n, name := range []string{"shop", "shop", "search", "search", "payments", "cart", "images", "mail", "", ""} {
		group.Go(func() {
			ticker := time.NewTicker(time.Second / 40)
			defer ticker.Stop()
			for i := n; ; i += 2 {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
				// Not every service is asked as often, nor always as often.
				if rand.Float64() > 0.55+0.3*math.Sin(float64(n)+float64(i)/(90+70*float64(n%3))) {
					continue
				}
				to := name
				if to == "" {
					to = fmt.Sprintf("team-%03d", i%crowd)
				}
				w.send(ctx, client, to)
			}
		})
	}
}

func (w *world) send(ctx context.Context, client *http.Client, service string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.process.Address+"/", nil)
	if err != nil {
		return
	}
	request.Host = service + ".example"
	response, err := client.Do(request)
	if err != nil {
		return // while it is restarted
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	w.answers.Add(1)
}

// controls are what the scripts may do to the world.
func (w *world) controls() http.Handler {
	mux := http.NewServeMux()
	answer := func(path string, do func()) {
		mux.HandleFunc("POST "+path, func(http.ResponseWriter, *http.Request) { do() })
	}
	answer("/stop", func() { w.stop() })
	answer("/start", func() { w.start() })
	answer("/break", func() { w.process.Configure(w.t, w.configuration("  broken: {stable: v9}\n")) })
	answer("/mend", func() { w.process.Configure(w.t, w.configuration("")) })
	return mux
}

func (w *world) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process.Signal(w.t, syscall.SIGTERM)
	if err := w.process.Wait(20 * time.Second); err != nil {
		w.t.Errorf("stop: %v", err)
	}
}

func (w *world) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process = w.process.Again(w.t, w.options)
}
