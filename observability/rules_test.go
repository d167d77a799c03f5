package observability

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// rule is one recording or alerting rule.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// rules are those of rules.yaml, and the names of what they record.
func rules(t *testing.T) (list []rule, recorded []string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	read(t, "rules.yaml", &file)
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			list = append(list, r)
			if r.Record != "" {
				recorded = append(recorded, r.Record)
			}
		}
	}
	return list, recorded
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestPromtoolTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", "--lint-fatal", "rules.yaml")
	promtool(t, "test", "rules", "rules_test.yaml")
}

// Every rule asks for metrics that exist, and every alert says how bad it is, what has happened and what to do.
func TestRules(t *testing.T) {
	list, recorded := rules(t)
	all := known(t)
	pages := runbooks(t)
	metrics, err := os.ReadFile("../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		checkNames(t, query{r.Record + r.Alert, r.Expr}, all, recorded)
		if !strings.Contains(string(metrics), "`"+r.Record+r.Alert+"`") && !strings.Contains(string(metrics), "[`"+r.Alert+"`]") {
			t.Errorf("docs/METRICS.md does not name %s%s", r.Record, r.Alert)
		}
		if r.Alert == "" {
			continue
		}
		if !strings.HasPrefix(r.Alert, "Haldane") {
			t.Errorf("%s: other alerts of an organisation have names, too: begin it with Haldane", r.Alert)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: summary or description is missing", r.Alert)
		}
		page := "docs/runbooks/" + r.Alert + ".md"
		if r.Annotations["runbook_url"] != page {
			t.Errorf("%s: runbook_url is %q, want %s", r.Alert, r.Annotations["runbook_url"], page)
		}
		if !slices.Contains(pages, r.Alert+".md") {
			t.Errorf("%s does not exist", page)
		}
		pages = slices.DeleteFunc(pages, func(name string) bool { return name == r.Alert+".md" })
	}
	if len(pages) > 0 {
		t.Errorf("runbooks of no alert: %v", pages)
	}
}

// runbooks are the pages there are, each with its three parts.
func runbooks(t *testing.T) (pages []string) {
	t.Helper()
	entries, err := os.ReadDir("../docs/runbooks")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, entry := range entries {
		text, err := os.ReadFile("../docs/runbooks/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		parts := []string{"# " + strings.TrimSuffix(entry.Name(), ".md") + "\n", "\n## What it means\n", "\n## What to look at\n\n```sh\n", "\n## What to do\n"}
		for _, part := range parts {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no %q", entry.Name(), part)
			}
		}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat("../docs/runbooks/" + l[1]); err != nil {
				t.Errorf("%s: %v", entry.Name(), err)
			}
		}
		pages = append(pages, entry.Name())
	}
	return pages
}

// The tests of promtool show of every alert that it fires and that it does not.
func TestEveryAlertIsTested(t *testing.T) {
	var file struct {
		Tests []struct {
			Alerts []struct {
				Name string `yaml:"alertname"`
				Want []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	read(t, "rules_test.yaml", &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, a := range test.Alerts {
			if len(a.Want) > 0 {
				fires[a.Name] = true
			} else {
				silent[a.Name] = true
			}
		}
	}
	list, _ := rules(t)
	for _, r := range list {
		if r.Alert != "" && (!fires[r.Alert] || !silent[r.Alert]) {
			t.Errorf("%s: tested to fire %v, tested not to fire %v", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

// What the document says Prometheus is to be told is what Prometheus takes.
func TestPrometheusTakesTheDocumentedConfiguration(t *testing.T) {
	page, err := os.ReadFile("../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "```text\nrule_files: ")
	if !found {
		t.Fatal("docs/METRICS.md does not show it")
	}
	text, _, _ := strings.Cut(after, "```")
	rules, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"prometheus.yml": "rule_files: " + text, "haldane-rules.yaml": string(rules)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, "check", "config", filepath.Join(dir, "prometheus.yml"))
}
