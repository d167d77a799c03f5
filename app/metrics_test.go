package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/rollout"
)

// converting lets a backend answer at once and without errors, and report for a share of its requests that it converted.
func (b *backend) converting(share float64) {
	handle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		converted := "0"
		if rand.Float64() < share {
			converted = "1"
		}
		w.Header().Set("X-Converted", converted)
		fmt.Fprintln(w, "done")
	})
	b.handle.Store(&handle)
}

// A canary without errors that converts a tenth less than stable is rolled back by what the backends report, and no client
// sees a report.
func TestCanaryThatConvertsLess(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	stable.converting(0.9)
	canary.converting(0.81)
	i := launch(t, underTest(stable, canary, `    steps: [{weight: 50%, duration: 5m, max_duration: 10m}]
    checks: {latency: "off", metrics: {conversion: {source: field, direction: down, field: X-Converted, words: converted}}}`))
	leaked := 0
	stop := i.flood(t, 500)
	client := newClient(t)
	started := time.Now()
	view := i.await(t, 40*time.Second, "rolled back", func(v rollout.View) bool {
		response, err := client.Get("http://" + i.Address().String() + "/")
		if err == nil {
			leaked += len(response.Header.Values("X-Converted"))
			response.Body.Close()
		}
		return rolledBack(v)
	})
	stop()
	c := checkOf(t, view, "conversion")
	t.Logf("%v, %d canary requests: %s", time.Since(started), view.Stage.Judged, c.Sentence)
	if view.Reason != "the check conversion failed" || !strings.Contains(c.Sentence, " converted, stable ") ||
		checkOf(t, view, "errors").Class == analysis.Fail {
		t.Errorf("%s: %s", view.Reason, c.Sentence)
	}
	if leaked > 0 {
		t.Errorf("clients saw %d reports", leaked)
	}
}
