// Package observability holds what Prometheus and Grafana are given to watch Haldane with: rules, their tests, and dashboards. It
// owns nothing but the files and the tests that hold them to the metrics there are, and has no concurrency.
package observability

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metric is one row of docs/METRICS.md, which a test of stats holds to the metrics there are.
type metric struct {
	kind   string
	labels []string
}

// known are all metrics of Haldane by name.
func known(t *testing.T) map[string]metric {
	t.Helper()
	page, err := os.ReadFile("../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(haldane_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\| [^|]+ \\|$")
	all := make(map[string]metric)
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		labels := strings.Fields(strings.NewReplacer("`", "", ",", " ").Replace(m[3]))
		one := metric{m[2], labels}
		all[m[1]] = one
		if one.kind == "histogram" {
			all[m[1]+"_bucket"] = metric{"counter", append(labels, "le")}
			all[m[1]+"_count"], all[m[1]+"_sum"] = one, one
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d metrics were found in docs/METRICS.md", len(all))
	}
	return all
}

// promtool runs the checker of Prometheus, if it is there.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") == "1" {
			t.Fatal("promtool is missing, and HALDANE_REQUIRE_TOOLS=1 wants it (Debian package prometheus)")
		}
		t.Skip("SKIP: ===== no promtool (Debian package prometheus): rules and queries were not checked =====")
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Every metric that a document names is one.
func TestDocumentsNameMetricsThatThereAre(t *testing.T) {
	all := known(t)
	paths := []string{"../README.md", "../CONTRIBUTING.md"}
	for _, pattern := range []string{"../docs/*.md", "../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		paths = append(paths, found...)
	}
	_, recorded := rules(t)
	families := strings.Join(slices.Concat(slices.Collect(maps.Keys(all)), recorded), "\n")
	name := regexp.MustCompile(`\b(job_[a-z_]+:)?haldane_[a-z0-9_]+(:[a-z0-9_]+)?`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range name.FindAllString(string(text), -1) {
			if found == "haldane_user" { // the sticky cookie of the examples
				continue
			}
			_, is := all[found]
			is = is || slices.Contains(recorded, found)
			// A command may search for the beginning of names: "haldane_endpoint_(up|panics_total)".
			if !is && !strings.Contains(families, strings.TrimSuffix(found, "_")+"_") {
				t.Errorf("%s names %s, which is no metric", path, found)
			}
		}
	}
}
