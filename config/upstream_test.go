package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVariantOptions(t *testing.T) {
	testOptions(t, inVariant, ofVariant,
		good("queue: {size: 0}, resolve: 100ms, slow_start: 0, max_connections: 1"),
		good("slow_start: 30s, resolve: 1h"),
		bad("queue: {size: -1, timeout: 0}", "queue.size: expected at least 0, got -1",
			"queue.timeout: expected a duration above zero, got 0s"),
		bad("resolve: 99ms", "resolve: expected at least 100ms, got 99ms"),
		bad("resolve: 0", "resolve: expected at least 100ms, got 0s"),
		bad("slow_start: -1s", "slow_start: a duration cannot be negative, got -1s"),
		good("ejection: {failures: 0, time: 1ns, max_share: 0%}"),
		good("ejection: {failures: 1, time: 5m, max_share: 100%}"),
		good("ejection: off"),
		bad("ejection: {failures: -1, time: 0}", "ejection.failures: expected at least 0, got -1",
			"ejection.time: expected a duration above zero and up to 5m, got 0s"),
		bad("ejection: {time: 5m1s}", "ejection.time: expected a duration above zero and up to 5m, got 5m1s"),
		bad("ejection: {max_share: 101%}", `ejection.max_share: expected a percentage from 0% to 100%, got "101%"`),
		bad("ejection: on", `ejection: expected off or a mapping of keys to values, got "on"`),
	)
}

func TestVariantTLSOptions(t *testing.T) {
	testOptions(t, inVariant, ofVariant,
		good("tls: {}"),
		good("tls: off"),
		good("tls: {server_name: shop.internal, ca_file: ca, cert_file: c, key_file: k}"),
		good("tls: {server_name: 10.0.0.1, insecure_skip_verify: true}"),
		bad("tls: on", `tls: expected off or a mapping of keys to values, got "on"`),
		bad("tls: {server_name: \"shop:443\"}", `tls.server_name: expected a host name without a port, got "shop:443"`),
		bad("tls: {server_name: \"*.shop\"}", `tls.server_name: expected a host name without a port, got "*.shop"`),
		bad("tls: {cert_file: c}", "tls: cert_file needs the key_file that goes with it"),
		bad("tls: {key_file: k}", "tls: key_file needs the cert_file that goes with it"),
		bad("tls: {ca_file: ca, insecure_skip_verify: true}",
			"tls: insecure_skip_verify and ca_file exclude each other: either any certificate is taken or it is verified"),
	)
}

func TestHealthOptions(t *testing.T) {
	testOptions(t, inVariant, ofVariant,
		good("health: {}"),
		good("health: off"),
		good("health: /healthz"),
		good("health: {path: \"/healthz?deep=1&x=%20\", host: \"shop:80\", statuses: 204, interval: 100ms, timeout: 1ns, healthy: 1, unhealthy: 1}"),
		bad("health: healthz", `health.path: a path begins with "/", got "healthz"`),
		bad("health: {path: \"/a b\"}",
			`health.path: a path is compared as it is sent: write spaces and other characters percent-encoded in "/a b"`),
		bad("health: {path: \"/a?b c\"}", "health.path: a query is sent as it is written: write spaces and other characters percent-encoded"),
		bad("health: {path: \"/a?b#c\"}", "health.path: a query is sent as it is written: write spaces and other characters percent-encoded"),
		bad("health: {path: \"/a#c\"}", `health.path: a path has no query, got "/a#c"`),
		bad("health: {host: shop}", "health.host: host needs path: without one only a connection is opened"),
		bad("health: {path: /, host: \"*.shop\"}", `health.host: expected a host or host:port, got "*.shop"`),
		bad("health: {statuses: []}", "health.statuses: at least one good status is required"),
		bad("health: {statuses: [~]}", "health.statuses[0]: a status is missing here"),
		bad("health: {interval: 99ms, timeout: 0, healthy: 0, unhealthy: 0}",
			"health.interval: expected at least 100ms, got 99ms", "health.timeout: expected a duration above zero, got 0s",
			"health.healthy: expected at least 1, got 0", "health.unhealthy: expected at least 1, got 0"),
	)
}

func TestServiceOptions(t *testing.T) {
	testOptions(t, inService, ofService,
		good("stall_timeout: auto, long_polls: []"),
		good("stall_timeout: off, long_polls: [/, /events]"),
		good("stall_timeout: 1ns"),
		bad("stall_timeout: 0", `stall_timeout: expected "auto", "off" or a duration above zero, got "0"`),
		bad("stall_timeout: -1s", `stall_timeout: expected "auto", "off" or a duration above zero, got "-1s"`),
		bad("stall_timeout: never", `stall_timeout: expected "auto", "off" or a duration above zero, got "never"`),
		bad("long_polls: [events, ~, \"/a?b\"]", `long_polls[1]: a path begins with "/", got ""`,
			`long_polls[0]: a path begins with "/", got "events"`, `long_polls[2]: a path has no query, got "/a?b"`),
		good("retries: {attempts: 0, budget: 0%, min_concurrent: 0}"),
		good("retries: {attempts: 5, budget: 100%}"),
		good("retries: 3"),
		good("retries: off"),
		bad("retries: 6", "retries.attempts: expected 0 to 5, got 6"),
		bad("retries: {attempts: -1, min_concurrent: -1}", "retries.attempts: expected 0 to 5, got -1",
			"retries.min_concurrent: expected at least 0, got -1"),
		bad("retries: {budget: 101%}", `retries.budget: expected a percentage from 0% to 100%, got "101%"`),
		good("rescue: {}"),
		good("rescue: off"),
		good("rescue: {statuses: [], body_size: 0}"),
		good("rescue: {statuses: [400, 5xx], body_size: 16MiB}"),
		bad("rescue: on", `rescue: expected off or a mapping of keys to values, got "on"`),
		bad("rescue: {statuses: [2xx, 399-500], body_size: 16777217}",
			"rescue.statuses[0]: expected statuses from 400 to 599, got 2xx", "rescue.statuses[1]: expected statuses from 400 to 599, got 399-500",
			"rescue.body_size: expected at most 16MiB, which each rescued request may hold in memory, got 16777217"),
		good("limits: {requests: 0, queue: 0, per_client: 0, queue_timeout: 1ns}"),
		good("limits: {requests: 1, queue: 1, per_client: 1}"),
		bad("limits: {requests: -1, queue: -1, per_client: -1, queue_timeout: 0}",
			"limits.requests: expected at least 0, got -1", "limits.queue: expected at least 0, got -1",
			"limits.per_client: expected at least 0, got -1", "limits.queue_timeout: expected a duration above zero, got 0s"),
		bad("limits: {queue: 1}", "limits.queue: queue needs requests: without that bound nobody has to wait"),
		good("tunnels: {on_rollback: close, on_shutdown: keep, idle: 0}"),
		good("tunnels: {on_rollback: 0s, on_shutdown: 1d}"),
		bad("tunnels: {on_rollback: off, on_shutdown: -1s, idle: -1s}",
			`tunnels.on_rollback: expected "keep", "close" or a duration such as 30s, got "off"`,
			`tunnels.on_shutdown: expected "keep", "close" or a duration such as 30s, got "-1s"`,
			"tunnels.idle: a duration cannot be negative, got -1s"),
	)
}

func TestCheckOptions(t *testing.T) {
	testOptions(t, inChecks, ofChecks,
		good("errors: {statuses: [100, 599, 404-429, 4xx, 400-499]}"),
		good("errors: {statuses: []}"),
		good("errors: {statuses: 5xx}"),
		bad("errors: {statuses: [99, 600, 500-400, 6xx, x, ~]}", "errors.statuses[5]: a status is missing here",
			`errors.statuses[0]: expected a status such as "429", "5xx" or "500-504", got "99"`,
			`errors.statuses[1]: expected a status such as "429", "5xx" or "500-504", got "600"`,
			`errors.statuses[2]: expected a status such as "429", "5xx" or "500-504", got "500-400"`,
			`errors.statuses[3]: expected a status such as "429", "5xx" or "500-504", got "6xx"`,
			`errors.statuses[4]: expected a status such as "429", "5xx" or "500-504", got "x"`),
		bad("errors: {statuses: 5x}", `errors.statuses[0]: expected a status such as "429", "5xx" or "500-504", got "5x"`),
		bad("errors: {statuses: {a: b}}", "errors.statuses: expected a list, got a mapping"),
		good("events: {}"),
		good("events: {throttled: 429}"),
		good("events: {a: 429, b: 404, c: {outcomes: [client_gone, stalled]}, d: {statuses: [4xx], max: 99.9%}}, groups: {events: 40%}"),
		good("events: {a: {outcomes: [connect, timeout, reset, truncated, malformed, refused], relative: 0%, absolute: 0%, min_requests: 0}}"),
		bad("events: {a: 401, b: 402, c: 403, d: 404, e: 405}", "events: expected at most 4 events, got 5"),
		bad("events: {p99: 429}", `events.p99: there is a check of latency that is called "p99" already`),
		good("events: {p99: 429}, latency: off"),
		bad("events: {errors: 429}", `events.errors: the check of failed requests is called "errors" already`),
		bad("events: {\"p99 max\": 429}", `events["p99 max"]: the name of a check is made of letters, digits, ".", "_" and "-" and `+
			`begins with a letter or a digit, got "p99 max"`),
		bad("events: {gone: }", "events.gone: at least one of statuses and outcomes is required"),
		bad("events: {gone: {statuses: []}}", "events.gone: at least one of statuses and outcomes is required"),
		bad("events: {gone: often}", `events.gone.statuses[0]: expected a status such as "429", "5xx" or "500-504", got "often"`),
		bad("events: {gone: {outcomes: [ok, reset, reset]}}",
			`events.gone.outcomes[0]: expected connect, timeout, reset, truncated, malformed, refused, stalled or client_gone, got "ok"`,
			`events.gone.outcomes[2]: "reset" is listed twice`),
		bad("events: {gone: {statuses: 429, max: 100%, group: \"\", min_requests: -1, window: 0, windows: 0}}",
			"events.gone.max: expected a percentage below 100%, got 100%",
			`events.gone.group: the name of a group is made of letters, digits, ".", "_" and "-" and begins with a letter or a digit, got ""`,
			"events.gone.min_requests: expected at least 0, got -1", "events.gone.window: expected a duration above zero, got 0s",
			"events.gone.windows: expected at least 1, got 0"),
	)
}

func TestShorthands(t *testing.T) {
	c := mustParse(t, `
version: 1
policies: {quick: {steps: [5%], checks: {errors: {statuses: 5xx}, events: {throttled: 429}}}}
services:
  shop:
    variants: {v1: {endpoints: ["a:1"], health: /healthz}}
    retries: 3
`)
	var health Health
	health.setDefaults()
	health.Path = "/healthz"
	var throttled EventCheck
	throttled.setDefaults()
	throttled.Statuses = []StatusRange{{429, 429}}
	retries := DefaultService().Retries
	retries.Attempts = 3
	shop, quick := c.Services["shop"], c.Policies["quick"]
	for _, diff := range []string{
		cmp.Diff(&health, shop.Variants["v1"].Health), cmp.Diff(retries, shop.Retries),
		cmp.Diff(map[string]EventCheck{"throttled": throttled}, quick.Checks.Events),
		cmp.Diff([]StatusRange{{500, 599}}, quick.Checks.Errors.Statuses),
	} {
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Off takes away what a merged section brings.
func TestOff(t *testing.T) {
	c := mustParse(t, `
version: 1
services:
  shop:
    stable: v1
    variants:
      v1: &v1 {endpoints: ["a:1"], health: {}, tls: {}, ejection: {failures: 7}}
      v2: {<<: *v1, endpoints: ["b:1"], health: off, tls: "off", ejection: off}
    retries: off
    rescue: off
    sticky: off
    tenants: off
`)
	shop := c.Services["shop"]
	if v1 := shop.Variants["v1"]; v1.Health == nil || v1.TLS == nil || v1.Ejection.Failures != 7 {
		t.Errorf("v1 lost what it had: %+v", v1)
	}
	if v2 := shop.Variants["v2"]; v2.Health != nil || v2.TLS != nil || v2.Ejection.Failures != 0 {
		t.Errorf("v2 has what is off: %+v", v2)
	}
	if shop.Retries.Attempts != 0 || shop.Rescue != nil || shop.Sticky != nil || shop.Tenants != nil {
		t.Errorf("the service has what is off: %+v", shop)
	}
}

// TestWrittenZeroOfUpstreamStays holds that a zero that was written is not mistaken for nothing.
func TestWrittenZeroOfUpstreamStays(t *testing.T) {
	c := mustParse(t, `
version: 1
policies: {quick: {steps: [5%], checks: {events: {gone: {outcomes: [client_gone], relative: 0%, absolute: 0%, critical: false, min_requests: 0}}}}}
services:
  shop:
    variants:
      v1: {endpoints: ["a:1"], queue: {size: 0}, ejection: {failures: 0, max_share: 0%}}
    retries: {attempts: 0, budget: 0%, min_concurrent: 0}
    rescue: {statuses: [], body_size: 0}
    tunnels: {idle: 0, on_shutdown: keep}
`)
	shop := c.Services["shop"]
	v1 := shop.Variants["v1"]
	for _, diff := range []string{
		cmp.Diff(Queue{Timeout: seconds(1)}, v1.Queue), cmp.Diff(Ejection{Time: seconds(10)}, v1.Ejection),
		cmp.Diff(Retries{}, shop.Retries), cmp.Diff(&Rescue{Statuses: []StatusRange{}}, shop.Rescue),
		cmp.Diff(Tunnels{}, shop.Tunnels),
		cmp.Diff(EventCheck{Outcomes: []string{"client_gone"}, Group: "events", Window: seconds(1), Windows: 3},
			c.Policies["quick"].Checks.Events["gone"]),
	} {
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	text, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	if diff := diffConfig(c, mustParse(t, string(text))); diff != "" {
		t.Errorf("the effective form has other zeros (-want +got):\n%s", diff)
	}
}

// TestWords reads and writes the values that are a word or a duration.
func TestWords(t *testing.T) {
	c := mustParse(t, `
version: 1
services:
  shop: {variants: {v1: {endpoints: ["a:1"]}}, stall_timeout: 1m30s, tunnels: {on_rollback: 30s, on_shutdown: 0}}
`)
	shop := c.Services["shop"]
	if s := shop.StallTimeout; s != (StallTimeout{StallAfter, 90 * time.Second}) || s.String() != "1m30s" {
		t.Errorf("stall timeout %+v %s", s, s)
	}
	if d, closes := shop.Tunnels.OnRollback.After(); d != 30*time.Second || !closes {
		t.Errorf("on rollback after %s, %v", d, closes)
	}
	if d, closes := shop.Tunnels.OnShutdown.After(); d != 0 || !closes || shop.Tunnels.OnShutdown.String() != "close" {
		t.Errorf("on shutdown after %s, %v", d, closes)
	}
	if d, closes := DefaultService().Tunnels.OnRollback.After(); d != 0 || closes {
		t.Errorf("kept tunnels end after %s, %v", d, closes)
	}
	var none StallTimeout
	if none.String() != "off" || DefaultService().StallTimeout.String() != "auto" {
		t.Errorf("no stall timeout is %q, the default %q", none, DefaultService().StallTimeout)
	}
}

func TestStatusRange(t *testing.T) {
	f := func(text, written string, in, out int) {
		t.Helper()
		var r StatusRange
		if err := r.UnmarshalText([]byte(text)); err != nil || r.String() != written || !r.Contains(in) || r.Contains(out) {
			t.Errorf("%s became %s, %v, with %d: %v, with %d: %v", text, r, err, in, r.Contains(in), out, r.Contains(out))
		}
	}
	f("429", "429", 429, 430)
	f("5xx", "5xx", 599, 499)
	f("400-499", "4xx", 400, 500)
	f("502-504", "502-504", 504, 505)
	f("502-502", "502", 502, 503)
	for _, text := range []string{"", "-", "5", "xx", "5xx-6xx", "500-", "-500", "500-504-505", "+50", "5XX", "099", "500 - 504"} {
		var r StatusRange
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q became %s", text, r)
		}
	}
}

// TestStatusRangesSurviveTheirText reads back every range that there is.
func TestStatusRangesSurviveTheirText(t *testing.T) {
	for low := firstStatus; low <= lastStatus; low++ {
		for high := low; high <= lastStatus; high++ {
			in, out := StatusRange{low, high}, StatusRange{}
			if err := out.UnmarshalText([]byte(in.String())); err != nil || out != in {
				t.Fatalf("%d to %d became %s and then %+v, %v", low, high, in, out, err)
			}
		}
	}
}
