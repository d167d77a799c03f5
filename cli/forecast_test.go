package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// releasing is a configuration with two releases of one policy, one of another, and a service without.
const releasing = `
version: 1
policies:
  quick:
    steps: [{weight: 10%, duration: 1m}, {weight: 50%, duration: 1m}]
    checks: {latency: {p99: {}}}
    bake: {duration: 0s}
services:
  shop: {match: [{host: shop.example.com}], variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}, stable: v1, canary: v2}
  cart: {match: [{host: cart.example.com}], variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}, stable: v1, canary: v2}
  mail: {match: [{host: mail.example.com}], variants: {v1: {endpoints: ["127.0.0.1:1"]}, v2: {endpoints: ["127.0.0.1:2"]}}, stable: v1, canary: v2, policy: quick}
  still: {match: [{host: still.example.com}], variants: {v1: {endpoints: ["127.0.0.1:1"]}}}
`

// inFolder writes a file under a name that goldens can hold.
func inFolder(t *testing.T, name, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckForecasts(t *testing.T) {
	goldens, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, "haldane.yaml", releasing)
	for name, args := range map[string][]string{
		"check":          {"check", "haldane.yaml"},
		"check_rate":     {"check", "haldane.yaml", "--rate", "50"},
		"check_thin":     {"check", "haldane.yaml", "--rate", "0.5", "--errors", "1%"},
		"check_bad_rate": {"check", "haldane.yaml", "--rate", "-1"},
		"check_both":     {"check", "haldane.yaml", "--rate", "1", "--from-live"},
		"check_bad_over": {"check", "haldane.yaml", "--over", "0s"},
	} {
		got := invoke(t, args...)
		text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
		if got.stderr != "" {
			text += "--- stderr\n" + got.stderr
		}
		golden(t, filepath.Join(goldens, "testdata", name), text+"--- exit "+string(rune('0'+got.code))+"\n")
	}
}

// Programs get the same as data, and problems too.
func TestCheckAsJSON(t *testing.T) {
	inFolder(t, "haldane.yaml", releasing)
	got := invoke(t, "check", "haldane.yaml", "--rate", "100", "-o", "json")
	var result checkResult
	if err := json.Unmarshal([]byte(got.stdout), &result); err != nil || got.code != exitOK || !result.Valid || len(result.Forecasts) != 2 {
		t.Fatalf("%v, %+v", err, got)
	}
	f := result.Forecasts[0]
	if f.Policy != "careful" || len(f.Services) != 2 || len(f.Rates) != 1 || len(f.Rates[0].Stages) != 5 || f.Rates[0].Stages[1].Requests != 1500 {
		t.Errorf("%+v", f)
	}
	inFolder(t, "bad.yaml", "version: 1\nservises: {}\n")
	got = invoke(t, "-o", "json", "check", "bad.yaml")
	result = checkResult{}
	if err := json.Unmarshal([]byte(got.stdout), &result); err != nil || got.code != exitFailed || result.Valid ||
		!slices.ContainsFunc(result.Problems, func(p finding) bool { return p.Line == 2 && p.Path == "servises" }) {
		t.Errorf("%v, %+v", err, got)
	}
	if got := invoke(t, "-o", "xml", "check", "bad.yaml"); got.code != exitUsage {
		t.Errorf("%+v", got)
	}
}

// The port of the proxy is the one that people know; what answers there is whatever it serves.
func TestProxyIsNoAdmin(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a page":       func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>shop</html>")) },
		"JSON":         func(w http.ResponseWriter) { _, _ = w.Write([]byte(`["shop"]`)) },
		"no such page": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		"another's detail": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"detail":"go away"}`))
		},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		got := invoke(t, "status", "--address", server.URL)
		server.Close()
		if got.code != exitFailed || !strings.Contains(got.stderr, server.URL+" is not an admin address of Haldane") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
