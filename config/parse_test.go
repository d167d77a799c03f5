package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// small is the end of a file that is valid with any section put in front.
const small = "\nservices: {shop: {variants: {v1: {endpoints: [\"127.0.0.1:9001\"]}}}}\n"

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("/etc/haldane/haldane.yaml", []byte(text), environment)
	if err != nil {
		t.Fatalf("a good file is refused:\n%v", err)
	}
	return c
}

func diffConfig(want, got any) string {
	return cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b Secret) bool { return string(a) == string(b) }))
}

func TestDefaults(t *testing.T) {
	got := mustParse(t, "version: 1"+small)
	want := Default()
	want.Version = 1
	want.Admin.Socket = "/var/lib/haldane/haldane.sock"
	want.Admin.TokenFile = "/var/lib/haldane/admin.token"
	want.Policies = map[string]Policy{"careful": Careful()}
	v1 := DefaultVariant()
	v1.Endpoints = []string{"127.0.0.1:9001"}
	shop := DefaultService()
	shop.Stable = "v1"
	shop.Variants = map[string]Variant{"v1": v1}
	want.Services = map[string]Service{"shop": shop}
	if diff := diffConfig(&want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestCareful(t *testing.T) {
	p := Careful()
	var weights []string
	for _, s := range p.Steps {
		weights = append(weights, s.Name+" "+s.Weight.String()+" "+s.Duration.String()+" "+s.MaxDuration.String())
	}
	want := []string{"1% 1% 5m 30m", "5% 5% 5m 30m", "25% 25% 5m 30m", "50% 50% 5m 30m"}
	if diff := cmp.Diff(want, weights); diff != "" {
		t.Error(diff)
	}
	if p.Bake.Duration.String() != "10m" || p.Bake.Holdback.String() != "10%" {
		t.Errorf("the bake is %+v", p.Bake)
	}
}

// TestWrittenZeroStays holds that defaults come first: a zero that was written is not mistaken for nothing.
func TestWrittenZeroStays(t *testing.T) {
	c := mustParse(t, `
version: 1
timeouts: {header: 0, idle: 0s}
log: {access_sample: 0%}
segments: {testers: {header: X-Test}}
policies:
  quick:
    steps: [{segment: testers, weight: 0%, duration: 0s, min_requests: 0}, 1%]
    checks:
      errors: {statuses: [], relative: 0%, absolute: 0%, critical: false, min_requests: 0}
      latency: {p50: {relative: 0%, absolute: 0, critical: false, min_requests: 0}}
      warm_up: 0
    bake: {duration: 0, holdback: 0%}
services:
  shop:
    variants: {v1: {endpoints: ["127.0.0.1:9001"], timeouts: {connect: 0, keep_alive: 0}}}
    sticky: {cookie: c, issue: true, ttl: 0}
`)
	zero := []bool{
		c.Timeouts.Header == 0, c.Timeouts.Idle == 0, c.Log.AccessSample == 0,
		c.Policies["quick"].Steps[0].Weight == 0, c.Policies["quick"].Steps[0].Duration == 0,
		c.Policies["quick"].Steps[0].MinRequests == 0, cmp.Equal(c.Policies["quick"].Checks.Errors, ErrorCheck{
			Statuses: []StatusRange{}, Group: "errors", Window: seconds(1), Windows: 3,
		}),
		c.Policies["quick"].Checks.Latency["p50"] == LatencyCheck{
			Quantile: 50 * percentUnit, Group: "latency", Window: seconds(5), Windows: 3,
		},
		c.Policies["quick"].Checks.WarmUp == 0,
		c.Policies["quick"].Bake == Bake{}, c.Services["shop"].Variants["v1"].Timeouts.Connect == 0,
		c.Services["shop"].Variants["v1"].Timeouts.KeepAlive == 0, c.Services["shop"].Sticky.TTL == 0,
	}
	for i, ok := range zero {
		if !ok {
			t.Errorf("zero %d was replaced", i)
		}
	}
	if got := c.Services["shop"].Variants["v1"].Timeouts.Idle; got != seconds(60) {
		t.Errorf("beside a written zero the default is lost: %s", got)
	}
}

// TestLeftEmptyKeepsTheDefault holds that a key without a value is a key that was not written.
func TestLeftEmptyKeepsTheDefault(t *testing.T) {
	c := mustParse(t, "version: 1\nlisten:\nlimits: {fields: ~, connections: null}\nlog:\n  level: ${EMPTY}\n  format: ${NONE:-}"+small)
	if !cmp.Equal(c.Listen, Default().Listen) || c.Limits != Default().Limits || c.Log != Default().Log {
		t.Errorf("defaults are lost: %+v %+v %+v", c.Listen, c.Limits, c.Log)
	}
}

func TestMergeAndAnchors(t *testing.T) {
	c := mustParse(t, `
version: 1
x-slow: &slow {connect: 5s, idle: 5m}
x-fast: &fast {connect: 10ms, request: 1s}
x-unused: {whatever: [1, 2]}
services:
  shop:
    stable: v1
    variants:
      v1: &base
        endpoints: ["127.0.0.1:9001"]
        timeouts: *slow
      v2:
        <<: *base
        endpoints: ["127.0.0.1:9002"]
      v3:
        endpoints: ["127.0.0.1:9003"]
        timeouts:
          <<: [*fast, *slow]
          idle: 1h
`)
	v := c.Services["shop"].Variants
	f := func(got, want UpstreamTimeouts) {
		t.Helper()
		if got != want {
			t.Errorf("got %+v; want %+v", got, want)
		}
	}
	slow := DefaultVariant().Timeouts
	slow.Connect, slow.Idle = seconds(5), minutes(5)
	f(v["v1"].Timeouts, slow)
	f(v["v2"].Timeouts, slow)
	mixed := DefaultVariant().Timeouts
	mixed.Connect, mixed.Request, mixed.Idle = Duration(10e6), seconds(1), minutes(60)
	f(v["v3"].Timeouts, mixed)
	if v["v2"].Endpoints[0] != "127.0.0.1:9002" {
		t.Errorf("a written key does not win over a merged one: %v", v["v2"].Endpoints)
	}
}

func TestSteps(t *testing.T) {
	c := mustParse(t, `
version: 1
segments: {testers: {header: X-Test}, staff: {header: X-Staff}}
policies:
  staged:
    steps:
      - {segment: staff, duration: 2h}
      - {segment: testers, weight: 0.01%}
      - 1
      - {duration: 45m, max_duration: 1d}
      - {name: half, weight: 50%}
`+small)
	var got []string
	for _, s := range c.Policies["staged"].Steps {
		got = append(got, strings.Join([]string{s.Name, s.Weight.String(), s.Duration.String(), s.MaxDuration.String()}, " | "))
	}
	want := []string{
		"staff | 0% | 2h | 2h", "testers and 0.01% | 0.01% | 1m | 30m", "1% | 1% | 1m | 30m", "1% | 1% | 45m | 1d", "half | 50% | 1m | 30m",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	c := mustParse(t, "version: 1\nstate: {directory: state}\nadmin: {token_file: ../token, tls: {cert_file: a.pem, key_file: /k.pem}}"+small)
	got := []string{c.State.Directory, c.Admin.Socket, c.Admin.TokenFile, c.Admin.TLS.CertFile, c.Admin.TLS.KeyFile}
	want := []string{"/etc/haldane/state", "/etc/haldane/state/haldane.sock", "/etc/token", "/etc/haldane/a.pem", "/k.pem"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c = mustParse(t, "version: 1\nadmin: {token: abcabcabcabcabcabc, socket: \"off\", address: off}"+small)
	if c.Admin.TokenFile != "" || c.Admin.Socket != Off || c.Admin.Address != Off {
		t.Errorf("got %+v", c.Admin)
	}
}

func TestListsInFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "testers.txt"), "# early testers\n\n anna \r\nbert # since May\nc#sharp\n#dora\nanna\n")
	write(t, filepath.Join(dir, "h.yaml"), `
version: 1
segments:
  a: {header: X-User, in_file: testers.txt}
  b: {any: [{cookie: user, in_file: `+dir+`/testers.txt}, {not: {all: [{query: u, in_file: ./testers.txt}]}}]}
`+small)
	c, err := Load(filepath.Join(dir, "h.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"anna", "bert", "c#sharp", "anna"}
	for _, p := range []Predicate{c.Segments["a"], c.Segments["b"].Any[0], c.Segments["b"].Any[1].Not.All[0]} {
		if diff := cmp.Diff(want, p.List); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{dir + "/h.yaml", dir + "/testers.txt"}, c.Files()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadOfNoFile(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err := Load(os.DevNull, nil)
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestHostsAreCaseless(t *testing.T) {
	c := mustParse(t, `
version: 1
services:
  shop:
    match: [{host: Shop.Example.COM}, {host: "*.Example.com", path: /X}, {host: "[::1]"}, {host: 10.0.0.1}, {path_prefix: /}]
    variants: {v1: {endpoints: ["shop_1:80", "[::1]:80"], host: "[::1]:80"}}
`)
	if m := c.Services["shop"].Match; m[0].Host != "shop.example.com" || m[1].Host != "*.example.com" || m[1].Path != "/X" {
		t.Errorf("got %+v", m)
	}
}

func TestOwnCareful(t *testing.T) {
	c := mustParse(t, "version: 1\npolicies: {careful: {steps: [10%]}}"+small)
	if steps := c.Policies["careful"].Steps; len(steps) != 1 || steps[0].Weight != 10*percentUnit {
		t.Errorf("got %+v", steps)
	}
}

func TestSplitIsExact(t *testing.T) {
	mustParse(t, `
version: 1
services:
  shop:
    stable: a
    variants: {a: {endpoints: ["a:1"]}, b: {endpoints: ["b:1"]}, c: {endpoints: ["c:1"]}}
    split: {a: 99.9899999999999999%, b: 0.01%, c: 0.0000000000000001%}
`)
}

func TestDump(t *testing.T) {
	c := mustParse(t, "version: 1\nadmin: {token: hunter2hunter2hunter2, read_token: hunter2hunter2hunter3}"+small)
	text, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") || strings.Count(string(text), "token: '***'") != 2 {
		t.Errorf("the token shows, or not that there is one:\n%s", text)
	}
	for _, want := range []string{"address: :8080", "header_size: 32KiB", "failed_requests: 0", "holdback: 10%", "ttl"} {
		if has := strings.Contains(string(text), want); has == (want == "ttl") {
			t.Errorf("%q in the effective configuration: %v", want, has)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
