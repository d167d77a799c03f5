package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]Number{"0": 0, "12.50": 12.5, "-3": -3, "2%": 0.02, "0.5%": 0.005, "1000000": 1e6} {
		got, err := ParseNumber(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		again, err := ParseNumber(got.String())
		if err != nil || again != got {
			t.Errorf("%q is written as %q, and read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-", "+1", "1e3", "NaN", "Inf", "0x1", "1_000", ".5", "5.", "1 %", "--1", "1%%", "1234567890123456789012345678901"} {
		if n, err := ParseNumber(text); err == nil {
			t.Errorf("%q was read as %v", text, n)
		}
	}
}

func TestMetricDefaults(t *testing.T) {
	got := checksOf(t, `{metrics: {conversion: {source: field, direction: down, field: X-Conversion}}}`).Metrics
	want := map[string]MetricCheck{"conversion": {
		Source: SourceField, Direction: DirectionDown, Kind: KindRatio, Field: "X-Conversion", Of: OfAll, Relative: 2 * percentUnit,
		Every: seconds(30), Failures: 3, Stale: minutes(5), Critical: true, Group: "metrics", MinRequests: 50, Window: seconds(1), Windows: 3,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestMetricOptions(t *testing.T) {
	const field = "metrics: {m: {source: field, direction: down, field: X-M, "
	testOptions(t, inChecks, ofChecks,
		good(field+"kind: ratio, of: reported, relative: 10%, absolute: 1%}}"),
		good(field+"kind: mean, largest: 500, absolute: 1.5}}"),
		good(field+"kind: mean, smallest: -5, largest: 5, relative: 0%}}"),
		good("metrics: {m: {source: posted, direction: both, kind: mean, largest: 500}}, groups: {metrics: 50%}"),
		good("metrics: {m: {source: posted, direction: up, critical: false, muted: true, group: money, window: 1m, windows: 1}}, groups: {money: 50%}"),
		bad("metrics: {m: {}}", "metrics.m.source: this is required"),
		bad("metrics: {m: {source: file, direction: sideways}}",
			`metrics.m.source: expected field, posted or prometheus, got "file"`,
			`metrics.m.direction: expected up, down or both, got "sideways"`),
		bad("metrics: {m: {source: posted}}", "metrics.m.direction: this is required"),
		bad("metrics: {m: {source: field, direction: up}}", "metrics.m.field: this is required"),
		bad("metrics: {m: {source: posted, direction: up, field: X-M}}", "metrics.m.field: only a metric of source field has a field"),
		bad(field+"kind: value}}", `metrics.m.kind: expected ratio, mean or sum, got "value"`),
		bad(field+"of: none}}", `metrics.m.of: expected all or reported, got "none"`),
		bad(field+"largest: 5}}", "metrics.m: smallest and largest are for the kinds mean and sum"),
		bad(field+"kind: mean}}", "metrics.m: largest is missing: what one request can change must be bounded"),
		bad(field+"kind: mean, largest: 0}}", "metrics.m.largest: largest (0) must be more than smallest (0)"),
		bad(field+"kind: sum, smallest: 1, largest: 2}}",
			"metrics.m.smallest: a request that reports nothing brings 0, so that smallest cannot be above 0 for a sum"),
		bad(field+"kind: mean, smallest: -1, largest: 2}}",
			"metrics.m.relative: numbers below 0 have no relative tolerance: set relative to 0%, and absolute"),
		bad(field+"absolute: -1}}", "metrics.m.absolute: a tolerance cannot be negative, got -1"),
		bad(field+"absolute: 100%}}", "metrics.m.absolute: expected less than 100%, got 1: a ratio lies between 0 and 1"),
		bad(field+"absolute: much}}", `metrics.m.absolute: expected a number such as 250, 0.5 or 2%, got "much"`),
		bad(field+"relative: 100%}}", "metrics.m.relative: expected a percentage below 100%, got 100%"),
		bad(field+"query: up}}", "metrics.m.query: only a metric of source prometheus has queries"),
		bad(field+"every: 10ms, stale: 0s, failures: 0, windows: 0}}",
			"metrics.m.every: expected at least 1s, got 10ms", "metrics.m.stale: expected a duration above zero, got 0s",
			"metrics.m.failures: expected at least 1, got 0", "metrics.m.windows: expected at least 1, got 0"),
		bad(field+"max: 5}}", "metrics.m.max: thresholds are for the kind value"),
		bad(field+"}, n: {source: field, direction: up, field: x-m}}", "metrics.n.field: another metric is read from x-m already"),
		bad("metrics: {errors: {source: posted, direction: up}, p50: {source: posted, direction: up}}",
			`metrics.errors: the check of failed requests is called "errors" already`,
			`metrics.p50: there is a check of latency that is called "p50" already`),
		bad(`events: {m: "429"}, metrics: {m: {source: posted, direction: up}}`, `metrics.m: there is a check of events that is called "m" already`),
	)
}

func TestPrometheusOptions(t *testing.T) {
	const server = "prometheus: {url: \"http://localhost:9090\"}\n"
	file := func(metric string) string {
		return "version: 1\n" + server + "policies: {quick: {steps: [5%], checks: {metrics: {m: {source: prometheus, direction: up, " + metric + "}}}}}" + small
	}
	const of = ofChecks + "metrics.m."
	for _, c := range []optionCase{
		good("good: 'g{v=\"$variant\"}', total: 't{v=\"$variant\"}'"),
		good("kind: value, query: 'q{v=\"$variant\"}', min: 1, max: 2, failures: 5, every: 5s"),
		bad("good: 'g{v=\"$variant\"}'", of+"total: this is required"),
		bad("good: g, total: 't{v=\"$variant\"}'", of+"good: the query has no $variant: it would say the same of both variants"),
		good("kind: value, query: '$variant', relative: 5%"),
		bad("kind: value, query: '$variant'", ofChecks+"metrics.m: a value needs a threshold: max, min, or a tolerance (relative, absolute) against stable"),
		bad("kind: value, query: '$variant', max: 1, good: x", of+"good: a value has no good"),
		bad("kind: value, query: '$variant', min: 3, max: 2", of+"max: max (2) is less than min (3)"),
	} {
		if diff := cmp.Diff(c.want, messages(t, file(c.value))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.value, diff)
		}
	}
	testOptions(t, inTop, "prometheus.",
		good("prometheus: {url: \"http://localhost:9090\", token_file: token, timeout: 5s}"),
		bad("prometheus: {url: localhost}", "url: expected a URL that begins with http:// or https:// and names a host"),
		bad("prometheus: {url: \"http://ann:pw@localhost:9090\"}",
			"url: the URL is shown to whoever reads the configuration: leave the password out, use token_file"),
		bad("prometheus: {timeout: 0s, token_file: token}", "timeout: expected a duration above zero, got 0s", "token_file: a token needs a url"),
	)
	if diff := cmp.Diff([]string{ofChecks + "metrics.m.source: there is no Prometheus to ask: prometheus.url is missing"},
		messages(t, "version: 1\npolicies: {quick: {steps: [5%], checks: {metrics: {m: {source: prometheus, direction: up, kind: value, query: $variant, max: 1}}}}}"+small)); diff != "" {
		t.Error(diff)
	}
}
