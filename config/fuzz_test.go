package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse looks for files that crash the parser, and for files that are accepted and then refused when their own
// effective form is read back.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte("version: 1\nsegments: {a: {not: {percent: 0.5%, of: {client_address: true}}}}" + small))
	f.Add([]byte("version: 1\nx-a: &a {connect: ${NONE:-1s}}\ntimeouts: {<<: [*a, *a]}" + small))
	for _, seed := range edgeSeeds() {
		f.Add([]byte(seed))
	}
	name := filepath.Join(f.TempDir(), "haldane.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Parse(name, src, environment)
		if (c == nil) == (err == nil) {
			t.Fatalf("neither one nor the other: %v, %v", c, err)
		}
		if err != nil {
			checkProblems(t, err, src)
			return
		}
		text, err := c.Dump()
		if err != nil {
			t.Fatal(err)
		}
		text = withTokens(text)
		// A dollar in the effective form is only a dollar.
		again, err := Parse(name, bytes.ReplaceAll(text, []byte("$"), []byte("$$")), nil)
		if err != nil {
			t.Fatalf("its own effective form is refused:\n%v\n%s", err, text)
		}
		if c.Admin.Token != "" {
			again.Admin.Token = c.Admin.Token
		}
		if c.Admin.ReadToken != "" {
			again.Admin.ReadToken = c.Admin.ReadToken
		}
		for name, target := range again.Notifications.Targets {
			target.URL, target.Secret = c.Notifications.Targets[name].URL, c.Notifications.Targets[name].Secret
			again.Notifications.Targets[name] = target
		}
		unhideHooks(c, again)
		if diff := diffConfig(c, again); diff != "" {
			t.Fatalf("its own effective form means something else:\n%s\n%s", diff, text)
		}
	})
}

// edgeSeeds has every option of an edge proxy in its long and its short form, good and bad.
func edgeSeeds() []string {
	option := func(file, value string) string { return strings.Replace(file, "VALUE", value, 1) }
	return []string{
		withFiles,
		option(inPolicy, `windows: [{days: [fri], from: "22:00", zone: Europe/Berlin}], freezes: [{from: 2026-12-20T00:00:00Z, to: `+
			`2026-12-21T00:00:00Z, reason: x}], hooks: {rollback: [{name: a, url: "http://b", secret: abcdefghijklmnop, metadata: {k: v}}]}`),
		option(inTop, "admin: {token: abcdefghijklmnop, read_token: qrstuvwxyzabcdef, hosts: [A.example], profiles: true}"),
		option(inTop, "admin: {address: \":1\", read_token_file: t, tls: off}"),
		option(inTop, "listen: {tls: {certificates: [{cert_file: c, key_file: k}], min_version: 1.3}, proxy_protocol: [::1]}"),
		option(inTop, "limits: {connections_per_client: 3}\ntimeouts: {shutdown_delay: 5s}"),
		option(inVariant, "health: /a?b, tls: {insecure_skip_verify: true}, ejection: off, resolve: 1s, slow_start: 1m"),
		option(inVariant, "health: {path: /, host: a, statuses: [2xx, 301], interval: 1s}, queue: {size: 0}"),
		option(inService, "rescue: {statuses: []}, retries: 2, stall_timeout: 3s, long_polls: [/e], sticky: off"),
		option(inService, "rescue: {}, retries: off, limits: {requests: 9, queue: 1}, tunnels: {on_rollback: 30s, on_shutdown: keep}"),
		option(inTop, "notifications: {link: \"http://a/{service}\", hold_after: 0, targets: {a: {type: slack, url: \"http://b\"}, "+
			"b: {type: webhook, url_file: u, secret: abcdefghijklmnop, when: all, services: [s*]}}}"),
		option(inChecks, "errors: {statuses: 5xx}, events: {a: 429, b: {outcomes: [client_gone], max: 1%}}"),
	}
}

// withTokens writes tokens that can be read back in the place of those that Dump hides.
func withTokens(text []byte) []byte {
	text = bytes.Replace(text, []byte("read_token: '***'"), []byte("read_token: 1234567890123456"), 1)
	text = bytes.Replace(text, []byte(" token: '***'"), []byte(" token: abcdefghijklmnopq"), 1)
	text = bytes.ReplaceAll(text, []byte(" url: '***'"), []byte(" url: http://a"))
	return bytes.ReplaceAll(text, []byte(" secret: '***'"), []byte(" secret: abcdefghijklmnopq"))
}

// checkProblems holds that every problem is one line that points into the file.
func checkProblems(t *testing.T, err error, src []byte) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("not Problems: %v", err)
	}
	// A YAML line also ends at these.
	lines := strings.Count(strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(src)), "\n") + 1
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines+1 || p.Column < 1 || p.Message == "" {
			t.Fatalf("%+v does not point into %d lines", p, lines)
		}
		if strings.ContainsAny(p.String(), "\n\r") {
			t.Fatalf("more than one line: %q", p)
		}
	}
}
