package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checksOf parses a policy with these checks.
func checksOf(t *testing.T, checks string) Checks {
	t.Helper()
	c := mustParse(t, `
version: 1
policies: {quick: {steps: [5%], checks: `+checks+`}}
services: {shop: {variants: {v1: {endpoints: ["127.0.0.1:9001"]}}}}
`)
	return c.Policies["quick"].Checks
}

func TestLatencyIsOnUnlessItIsOff(t *testing.T) {
	careful := Careful().Checks
	for _, checks := range []string{"{}", "", "{errors: {absolute: 0.5%}}", "{latency: }", "{latency: ~}"} {
		if diff := cmp.Diff(careful.Latency, checksOf(t, checks).Latency); diff != "" {
			t.Errorf("checks %s (-careful +got):\n%s", checks, diff)
		}
	}
	for _, checks := range []string{"{latency: off}", `{latency: "off"}`, "{latency: {}}"} {
		got := checksOf(t, checks)
		if len(got.Latency) != 0 || !cmp.Equal(got.Errors, careful.Errors) {
			t.Errorf("checks %s: %+v", checks, got)
		}
	}
}

// A mapping that is written is all there is; its checks have the defaults that their names say.
func TestLatencyIsReplaced(t *testing.T) {
	careful := Careful().Checks.Latency
	p99 := careful["p99"]
	p99.Max = seconds(1)
	p999 := careful["p99"]
	p999.Quantile, p999.MinRequests = 99*percentUnit+9*percentUnit/10, 5000
	median := careful["p90"]
	median.Quantile, median.MinRequests = 50*percentUnit, 50
	few := p999
	few.Quantile, few.MinRequests = 99*percentUnit, 7
	want := LatencyChecks{"p50": careful["p50"], "p99": p99, "p999": p999, "median": median, "p95": few}
	got := checksOf(t, `{latency: {
		p50: , p99: {max: 1s}, p999: {}, median: {quantile: 50%}, p95: {quantile: 99%, min_requests: 7}}}`)
	if diff := cmp.Diff(want, got.Latency); diff != "" {
		t.Errorf("latency (-want +got):\n%s", diff)
	}
}

// What is switched off stays so in what Dump writes.
func TestDumpKeepsLatencyOff(t *testing.T) {
	c := mustParse(t, `
version: 1
policies: {quick: {steps: [5%], checks: {latency: off}}}
services: {shop: {variants: {v1: {endpoints: ["127.0.0.1:9001"]}}}}
`)
	text, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	again := mustParse(t, string(text))
	if diff := cmp.Diff(c.Policies, again.Policies); diff != "" {
		t.Errorf("policies (-before +after):\n%s", diff)
	}
}
