package observability

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// query is one expression and where it stands.
type query struct{ where, expr string }

// foreign are the metrics of others that are looked at: of Prometheus itself, and of every Go program.
func foreign() []string {
	return []string{"up", "process_resident_memory_bytes", "process_cpu_seconds_total", "go_gc_gomemlimit_bytes"}
}

// checkNames holds that a query asks for nothing that does not exist: no metric, and no label.
func checkNames(t *testing.T, q query, all map[string]metric, recorded []string) {
	t.Helper()
	// A selector is a name and what may stand in braces behind it; a function's name has a parenthesis there.
	selector := regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})?(\(|\s*\()?`)
	matcher := regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"`)
	found := 0
	for _, s := range selector.FindAllStringSubmatch(withoutWords(q.expr), -1) {
		name := s[1]
		m, ours := all[name]
		switch {
		case ours, slices.Contains(foreign(), name), slices.Contains(recorded, name):
			found++
		case s[3] != "":
			continue // a function
		default:
			t.Errorf("%s: there is no metric %s", q.where, name)
		}
		for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
			if ours && !slices.Contains(m.labels, l[1]) && l[1] != "job" && l[1] != "instance" {
				t.Errorf("%s: %s has no label %s", q.where, name, l[1])
			}
		}
	}
	if found == 0 {
		t.Errorf("%s: the query names no metric: %s", q.where, q.expr)
	}
}

// withoutWords takes out what is neither a metric nor a selector: groupings, ranges, operators in words and functions without
// arguments.
func withoutWords(expr string) string {
	for _, word := range []string{`\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)`, `\[[^\]]*\]`, `\b(and|or|unless|bool|offset)\b`, `\btime\(\)`, `\b\d[0-9.a-z]*`} {
		expr = regexp.MustCompile(word).ReplaceAllString(expr, " ")
	}
	return expr
}

// checkSyntax lets Prometheus' own tool read the queries.
func checkSyntax(t *testing.T, queries []query) {
	t.Helper()
	var text strings.Builder
	text.WriteString("groups:\n  - name: queries\n    rules:\n")
	for i, q := range queries {
		fmt.Fprintf(&text, "      - {record: \"q:%d\", expr: %q}\n", i, fill(q.expr))
	}
	path := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// fill puts values in the place of Grafana's variables.
func fill(expr string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*", "$service", "shop").Replace(expr)
}

// The checks above find what they are there for.
func TestBadNamesAreFound(t *testing.T) {
	all := map[string]metric{"haldane_x_total": {"counter", []string{"service"}}}
	for expr, good := range map[string]bool{
		`sum by (job) (rate(haldane_x_total{service="a"}[5m])) > 0`: true,
		`haldane_x_total / on (job) up offset 5m`:                   true,
		`sum by (job) (rate(haldane_y_total[5m]))`:                  false,
		`rate(haldane_x_total{variant="a"}[5m])`:                    false,
		`vector(1)`:                                                 false,
	} {
		probe := &testing.T{}
		checkNames(probe, query{"here", expr}, all, nil)
		if probe.Failed() == good {
			t.Errorf("%s: good is %v", expr, good)
		}
	}
}
