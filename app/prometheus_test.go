//go:build !race

package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/rollout"
)

// shop is an exporter with the counters of a shop, by variant.
type shop struct{ visits, orders [2]atomic.Int64 }

// selling lets a backend be visited, and sell to a share of its visitors.
func (s *shop) selling(b *backend, variant int, share float64) {
	handle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.visits[variant].Add(1)
		if rand.Float64() < share {
			s.orders[variant].Add(1)
		}
		fmt.Fprintln(w, "done")
	})
	b.handle.Store(&handle)
}

func (s *shop) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for i, name := range []string{"v1", "v2"} {
		// Orders first: each of them has been a visit.
		fmt.Fprintf(w, "orders_total{variant=%q} %d\n", name, s.orders[i].Load())
		fmt.Fprintf(w, "visits_total{variant=%q} %d\n", name, s.visits[i].Load())
	}
}

// findPrometheus is the real Prometheus, if it is installed, and an address for it that is free.
func findPrometheus(t *testing.T) (program, address string) {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") == "1" {
			t.Fatal("prometheus is missing, and HALDANE_REQUIRE_TOOLS=1 wants it (Debian package prometheus)")
		}
		t.Skip("SKIPPED: prometheus is not installed (Debian package prometheus), no real one was asked")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return program, listener.Addr().String()
}

// startPrometheus starts a real Prometheus on an address. It is gone with the test.
func startPrometheus(t *testing.T, program, address, config string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=error")
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})
}

// scrape is the configuration of a Prometheus that scrapes a target each second.
func scrape(job, target string) string {
	return fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nscrape_configs: [{job_name: %s, static_configs: [{targets: [%q]}]}]\n", job, target)
}

// While its Prometheus is down a rollout has no data and stays on its step. When there is one, it shows that the canary, without an
// error and as fast as stable, sells a tenth less, and the canary is rolled back. The step wants the canary proven: with few visits a tenth
// less is nothing to see yet, and a step that wants no regression could be left.
func TestCanaryThatSellsLessByPrometheus(t *testing.T) {
	program, address := findPrometheus(t)
	var counters shop
	exporter := httptest.NewServer(&counters)
	defer exporter.Close()
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	counters.selling(stable, 0, 0.9)
	counters.selling(canary, 1, 0.81)
	i := launch(t, "prometheus: {url: \"http://"+address+"\", timeout: 2s}\n"+underTest(stable, canary,
		`    steps: [{weight: 50%, duration: 1s, max_duration: 10m, advance_when: proven}]
    bake: {duration: 0s}
    checks:
      latency: "off"
      metrics:
        orders:
          {source: prometheus, direction: down, every: 1s, good: 'sum(orders_total{variant="$variant"})',
           total: 'sum(visits_total{variant="$variant"})', words: of which were orders}`))
	stop := i.flood(t, 500)
	view := i.await(t, 15*time.Second, "no data from a Prometheus that is down", func(v rollout.View) bool {
		return len(v.Verdict.Checks) == 2 && checkOf(t, v, "orders").Cause == analysis.CauseError && v.Stage.Judged >= 500 &&
			time.Duration(v.Stage.Elapsed) > time.Duration(v.Stage.Duration)
	})
	if waits := strings.Join(view.WaitingFor, "\n"); !strings.Contains(waits, "the metric orders has no data: Prometheus: ") {
		t.Errorf("waits for %s", waits)
	}
	startPrometheus(t, program, address, scrape("shop", strings.TrimPrefix(exporter.URL, "http://")))
	started := time.Now()
	view = i.await(t, 60*time.Second, "rolled back", rolledBack)
	stop()
	c := checkOf(t, view, "orders")
	t.Logf("%v: %s", time.Since(started), c.Sentence)
	if errors := checkOf(t, view, "errors"); view.Reason != "the check orders failed" || errors.Class == analysis.Fail {
		t.Errorf("%s: %s; %s", view.Reason, c.Sentence, errors.Sentence)
	}
	for _, series := range []string{`haldane_metric_known{metric="orders",service="shop"} 1`, `haldane_prometheus_questions_total{result="failure"} `} {
		if page := i.admin(t, "/metrics"); !strings.Contains(page, series) {
			t.Errorf("/metrics has no %s", series)
		}
	}
}
