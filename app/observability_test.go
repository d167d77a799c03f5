//go:build !race

package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A real Prometheus scrapes a release that is rolled back. Every query of the dashboards has data then, every rule is evaluated
// without an error, and the alerts fire for what has happened: the rollback, a file that was refused, a certificate that is about to expire.
func TestRulesAndDashboardsHaveData(t *testing.T) {
	program, address := findPrometheus(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	i := launch(t, observed(t, stable, canary))
	startPrometheus(t, program, address, scrape("haldane", i.AdminAddress().String())+"rule_files: ["+hurriedRules(t)+"]\n")
	stop := i.flood(t, 100)
	prom := &asked{client: newClient(t), base: "http://" + address}
	prom.until(t, "the first scrapes", func() bool { return prom.has(`rate(haldane_client_requests_total[10s]) > 0`) })
	canary.failing.Store(true)
	i.await(t, 20*time.Second, "rolled back", rolledBack)
	stop()
	writeConfig(t, i.config, "version: 2\n")
	missing := dashboardQueries(t)
	prom.until(t, "data of every panel", func() bool {
		missing = slices.DeleteFunc(missing, prom.has)
		return len(missing) == 0
	})
	for _, query := range missing {
		t.Errorf("no data: %s", query)
	}
	want := []string{"HaldaneCertificateExpires", "HaldaneConfigReloadFailed", "HaldaneRolledBack"}
	prom.until(t, "the alerts", func() bool {
		firing := prom.firing(t)
		return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(firing, name) })
	})
}

// observed is a release with something in every panel.
func observed(t *testing.T, stable, canary *backend) string {
	dir := t.TempDir()
	newCertificate(t, dir, 1)
	listen := fmt.Sprintf(`
listen:
  address: "127.0.0.1:0"
  tls: {address: "127.0.0.1:0", certificates: [{cert_file: %q, key_file: %q}]}
notifications: {targets: {room: {type: webhook, url: "http://%s/room"}}}`, dir+"/tls.crt", dir+"/tls.key", stable.address)
	return strings.Replace(underTest(stable, canary, `    steps: [{weight: 20%, duration: 60s}]
    budget: {failed_requests: 100}`), `listen: {address: "127.0.0.1:0"}`, listen, 1) + rescued + "\n"
}

// hurriedRules are the rules in a file that does not wait: what holds for a second fires.
func hurriedRules(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../observability/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	text = regexp.MustCompile(`(?m)^( +for:) .*$`).ReplaceAll(text, []byte("$1 1s"))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dashboardQueries are all of them, as Grafana asks them.
func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	paths, err := filepath.Glob("../observability/dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "20s", "$job", ".*", "$instance", ".*", "$service", "shop")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Panels      []struct{ Targets []struct{ Expr string } }
			Annotations struct{ List []struct{ Expr string } }
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				queries = append(queries, fill.Replace(target.Expr))
			}
		}
		for _, annotation := range d.Annotations.List {
			queries = append(queries, fill.Replace(annotation.Expr))
		}
	}
	if len(queries) < 60 {
		t.Fatalf("%d queries were found", len(queries))
	}
	return queries
}

// asked is a Prometheus that is asked.
type asked struct {
	client *http.Client
	base   string
}

// until asks again and again until something is so.
func (p *asked) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}

// ask is the data of an answer; false when there was no good one.
func (p *asked) ask(path string, data any) bool {
	response, err := p.client.Get(p.base + path)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	answer := struct{ Data any }{data}
	return response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&answer) == nil
}

// has says whether a query has data.
func (p *asked) has(query string) bool {
	var data struct{ Result []any }
	return p.ask("/api/v1/query?query="+url.QueryEscape(query), &data) && len(data.Result) > 0
}

// firing are the names of the alerts that fire. No rule may have an error.
func (p *asked) firing(t *testing.T) (names []string) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	if !p.ask("/api/v1/rules", &data) {
		t.Fatal("Prometheus does not list its rules")
	}
	for _, group := range data.Groups {
		for _, r := range group.Rules {
			if r.Health == "err" {
				t.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
			}
			if r.State == "firing" {
				names = append(names, r.Name)
			}
		}
	}
	return names
}
