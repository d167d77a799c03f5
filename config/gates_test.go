package config

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const inPolicy = "version: 1\npolicies: {quick: {steps: [5%], VALUE}}" + small

func TestWindowOptions(t *testing.T) {
	const at = "windows[0]"
	testOptions(t, inPolicy, "policies.quick.",
		good(`windows: [{days: [mon, tue], from: "09:00", to: "16:00", zone: Europe/Berlin}]`),
		good(`windows: [{days: fri, from: "22:30", to: "02:00"}, {}]`),
		good(`windows: [{to: "24:00"}]`),
		bad(`windows: [{days: [monday]}]`, at+`.days[0]: expected mon, tue, wed, thu, fri, sat or sun, got "monday"`),
		bad(`windows: [{from: "9:00"}]`, at+`.from: expected a time of day from 00:00 to 24:00, got "9:00"`),
		bad(`windows: [{to: "24:01"}]`, at+`.to: expected a time of day from 00:00 to 24:00, got "24:01"`),
		bad(`windows: [{from: "09:00", to: "09:00"}]`, at+": a window from 09:00 to 09:00 never opens; leave both out for the whole day"),
		bad(`windows: [{from: "24:00", to: "09:00"}]`, at+".from: a window cannot open at the end of the day; write 00:00 and the next day"),
		bad(`windows: [{zone: Local}]`, at+`.zone: expected a time zone such as Europe/Berlin; "Local" is another one on each machine`),
		bad(`windows: [{zone: Mars/Olympus}]`, at+`.zone: expected a time zone such as Europe/Berlin, got "Mars/Olympus", which the time `+
			"zone database of this machine does not have (package tzdata)"),
	)
}

func TestFreezeOptions(t *testing.T) {
	const wrong = "expected a moment such as 2026-12-20T00:00:00Z or 2026-12-20T00:00:00+01:00, got "
	for file, prefix := range map[string]string{inPolicy: "policies.quick.freezes", inTop: "freezes"} {
		testOptions(t, file, prefix,
			good("freezes: [{from: 2026-12-20T00:00:00Z, to: 2027-01-04T00:00:00+01:00, reason: holidays}]"),
			bad("freezes: [{from: 2026-12-20, to: 2027-01-04T00:00:00Z, reason: x}]", `[0].from: `+wrong+`"2026-12-20"`),
			bad("freezes: [{from: 2027-01-04T00:00:00Z, to: 2026-12-20T00:00:00Z, reason: x}]",
				"[0].to: a freeze cannot end (2026-12-20T00:00:00Z) before it has begun (2027-01-04T00:00:00Z)"),
			bad("freezes: [{}]", "[0].from: this is required"), // one word for each place in the file
			bad("freezes: [{from: 2026-12-20T00:00:00Z, to: 2026-12-21T00:00:00Z}]", "[0].reason: this is required"),
			bad("freezes: [{from: 2026-12-20T00:00:00Z, reason: x}]", "[0].to: this is required"),
		)
	}
}

func TestHookOptions(t *testing.T) {
	const hook, at = `name: gate, url: "https://hooks.example/hunter2"`, "hooks.confirm_promotion[0]."
	one := func(text string) string { return "hooks: {confirm_promotion: [{" + text + "}]}" }
	testOptions(t, inPolicy, "policies.quick.",
		good(one(hook)),
		good(one(hook+", timeout: 1s, retries: 0, every: 1s, failures: 1, secret: abcdefghijklmnop, metadata: {team: shop}")),
		good(`hooks: {rollback: [{name: a, url_file: u, secret_file: k}], event: [{name: a, url_file: u}]}`),
		bad("hooks: {confirm: []}", "hooks.confirm: unknown key; there is confirm_rollout, pre_rollout, rollout, "+
			"confirm_traffic_increase, confirm_promotion, post_rollout, rollback, event"),
		bad(one(`url: "http://a"`), at+"name: this is required"),
		bad(one(`name: a b, url: "http://a"`), at+`name: the name of a hook is made of letters, digits, ".", "_" and "-" and begins `+
			`with a letter or a digit, got "a b"`),
		bad("hooks: {rollout: [{"+hook+"}, {"+hook+"}]}", `hooks.rollout[1].name: another hook of this point is called "gate"`),
		bad(one("name: gate"), "hooks.confirm_promotion[0]: one of url and url_file is required"),
		bad(one("name: gate, url: hunter2"), at+"url: expected a URL that begins with http:// or https:// and names a host"),
		bad(one(hook+", url_file: u"), at+"url_file: url and url_file exclude each other"),
		bad(one(hook+", secret: hunter2"), at+"secret: a secret has at least 16 characters, this one has 7"),
		bad(one(hook+", timeout: 0, retries: 11, every: 10ms, failures: 0"),
			at+"timeout: expected a duration above zero, got 0s", at+"retries: expected at most 10, got 11",
			at+"every: expected at least 1s, got 10ms", at+"failures: expected at least 1, got 0"),
	)
}

func TestChecklistOptions(t *testing.T) {
	const file = "version: 1\npolicies: {quick: {steps: [{weight: 5%, checklist: VALUE}]}}" + small
	testOptions(t, file, "policies.quick.steps[0].checklist",
		good(`[dashboards looked at, "support knows: 4711"]`),
		bad(`[a, a]`, "[1]: this item is there already"),
		bad(`[a, ""]`, "[1]: this is required"),
		bad(`["a\nb"]`, "[0]: an item is one line of text that can be shown"),
		bad(`["`+strings.Repeat("x", 201)+`"]`, "[0]: expected at most 200 bytes, got 201"),
		bad("["+strings.Repeat("x, ", 51)+"]", append([]string{": expected at most 50 items, got 51"}, again(1, 50)...)...),
	)
}

func again(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, "["+itoa(i)+"]: this item is there already")
	}
	return list
}

func itoa(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}

func TestLinkOptions(t *testing.T) {
	testOptions(t, inTop, "admin.",
		good(`admin: {public_url: "https://haldane.example.com/here", link_lifetime: 1h}`),
		bad(`admin: {public_url: haldane.example.com}`, "public_url: expected a URL that begins with http:// or https:// and names a host"),
		bad(`admin: {public_url: "http://a", address: off}`, "public_url: links lead to the admin listener, which is off"),
		bad(`admin: {link_lifetime: 0}`, "link_lifetime: expected a duration above zero, got 0s"),
	)
}

func TestGateFilesAreLookedFor(t *testing.T) {
	c := mustParse(t, "version: 1\npolicies: {quick: {steps: [5%], hooks: {rollback: [{name: a, url_file: u, secret_file: /k}]}}}"+small)
	want := Hook{
		Name: "a", URLFile: "/etc/haldane/u", SecretFile: "/k", Timeout: seconds(10), Retries: 2, Every: seconds(30), Failures: 3,
	}
	if diff := cmp.Diff([]Hook{want}, c.Policies["quick"].Hooks.Rollback); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	problems := c.CheckFiles()
	if len(problems) != 2 || problems[0].Path != "policies.quick.hooks.rollback[0].url_file" {
		t.Errorf("two files are missing: %v", problems)
	}
}

func TestHookSecretsStayHidden(t *testing.T) {
	c := mustParse(t, "version: 1\npolicies: {quick: {steps: [5%], hooks: {rollback: [{name: a, url: \"http://a/hunter2\", secret: hunter2hunter2hunter2}]}}}"+small)
	dump, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(c.Policies["quick"])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(dump), string(stored)} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("a secret shows, or not that there is one: %s", text)
		}
	}
}

// TestCalendarSurvivesJSON: a policy is stored with the rollout, and read where the database of time zones may be another one.
func TestCalendarSurvivesJSON(t *testing.T) {
	c := mustParse(t, `{version: 1, policies: {quick: {steps: [5%], windows: [{days: [sat], from: "22:00", to: "03:30", zone: Europe/Berlin}],
  freezes: [{from: 2026-12-20T00:00:00+01:00, to: 2026-12-21T00:00:00Z, reason: x}]}},
  services: {shop: {variants: {v1: {endpoints: ["a:1"]}}}}}`)
	p := c.Policies["quick"]
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Policy
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Windows, back.Windows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(p.Freezes, back.Freezes); diff != "" || p.Freezes[0].From.Time() != time.Date(2026, 12, 19, 23, 0, 0, 0, time.UTC) {
		t.Errorf("-want +got:\n%s", diff)
	}
	if at := back.Windows[0].Zone.Location(); at == nil || at.String() != "Europe/Berlin" {
		t.Errorf("the zone is %v", at)
	}
	var lost Zone
	if err := json.Unmarshal([]byte(`"Mars/Olympus"`), &lost); err != nil || lost.String() != "Mars/Olympus" || lost.Location() != nil {
		t.Errorf("a zone that is not known here: %v, %v", lost, err)
	}
}

// unhideHooks gives what was parsed of an effective form the secrets that it does not show.
func unhideHooks(from, to *Config) {
	for name, policy := range from.Policies {
		shown := to.Policies[name]
		for _, point := range HookPoints() {
			for i, hook := range policy.Hooks.At(point) {
				shown.Hooks.At(point)[i].URL, shown.Hooks.At(point)[i].Secret = hook.URL, hook.Secret
			}
		}
	}
}

// What a service lays over the hooks of its policy is found where the file is, too.
func TestHookFilesOfOverrides(t *testing.T) {
	c := mustParse(t, `version: 1
policies: {quick: {steps: [5%], hooks: {rollback: [{name: a, url_file: u}]}}, patch: {steps: [5%], hooks: {rollback: [{name: b, url_file: w}]}}}
services:
  s:
    match: [{path: /}]
    variants: {v1: {endpoints: ["127.0.0.1:1"], revision: 1.0.0}, v2: {endpoints: ["127.0.0.1:2"], revision: 1.0.1}}
    stable: v1
    canary: v2
    policy: quick
    patch: patch
    policy_overrides: {hooks: {event: [{name: c, url_file: x, secret_file: k}]}}
`)
	over := c.Services["s"].PolicyOverrides.Hooks
	p, _ := c.Release("s")
	for _, path := range []string{over.Rollback[0].URLFile, over.Event[0].URLFile, over.Event[0].SecretFile, p.Hooks.Event[0].URLFile, c.Policies["patch"].Hooks.Rollback[0].URLFile} {
		if !filepath.IsAbs(path) {
			t.Errorf("%q is not absolute", path)
		}
	}
}
