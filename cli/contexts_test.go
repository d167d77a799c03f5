package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"haldane/rollout"
)

func TestContexts(t *testing.T) {
	socket, address := start(t, &fake{views: []rollout.View{shop()}})
	folder := t.TempDir()
	path := filepath.Join(folder, "contexts.yaml")
	text := "# mine\ncontexts:\n  here: {socket: " + socket + "} # this machine\n  there: {address: \"" + address + "\", token_file: secret.token}\n" +
		"  gone: {address: " + closedAddress(t) + "}\n"
	for name, content := range map[string]string{path: text, filepath.Join(folder, "secret.token"): secret + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environment := map[string]string{"HALDANE_CONTEXTS": path}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"status shop --context here", 0, "v1 -> v2"},
		{"pause shop --context there", 0, "shop is"},
		{"status --context nowhere", 2, `there is no context "nowhere"; there is gone, here, there`},
		{"status --context here --socket " + socket, 2, "--context excludes --socket"},
		{"context use nowhere", 2, "there is no context"},
		{"context use gone", 0, "gone is used"},
		{"status", 1, "cannot reach Haldane"},
		{"status --address " + address, 0, "shop"},
		{"context use here", 0, "here is used"},
		{"status", 0, "v1 -> v2"},
		{"context list", 0, "*        here"},
		{"context list -o json", 0, `"current": "here"`},
	} {
		got := invokeWith(t, environment, strings.Fields(c.args)...)
		if got.code != c.code || !strings.Contains(got.stdout+got.stderr, c.want) {
			t.Errorf("%s: exit %d, want %d with %q: %s%s", c.args, got.code, c.code, c.want, got.stdout, got.stderr)
		}
	}
	if src, err := os.ReadFile(path); err != nil || !strings.Contains(string(src), "# this machine") || !strings.Contains(string(src), "# mine") {
		t.Errorf("comments are lost: %v\n%s", err, src)
	}
	environment["HALDANE_CONTEXT"] = "gone"
	if got := invokeWith(t, environment, "status"); got.code != 1 {
		t.Errorf("HALDANE_CONTEXT goes before the current one: exit %d", got.code)
	}
}

func TestBadContexts(t *testing.T) {
	for text, want := range map[string]string{
		"contexts: {a: {}}\n":                               "needs either a socket or an address",
		"contexts: {a: {socket: x, address: \"b:1\"}}\n":    "needs either a socket or an address",
		"contexts: {a: {addr: b}}\n":                        "addr",
		"contexts: {a: {address: \"b:1\", ca_file: no.ca}}": "read the authorities",
	} {
		path := writeFile(t, "contexts.yaml", text)
		got := invokeWith(t, map[string]string{"HALDANE_CONTEXTS": path, "HALDANE_CONTEXT": "a"}, "status")
		if got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: exit %d: %s", text, got.code, got.stderr)
		}
	}
	if got := invokeWith(t, map[string]string{"HOME": t.TempDir()}, "context", "list"); got.code != 0 || !strings.Contains(got.stdout, "no contexts") {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

func TestStatusExitCode(t *testing.T) {
	view := func(phase rollout.Phase, person bool) rollout.View {
		v := shop()
		v.Phase, v.NeedsPerson = phase, person
		return v
	}
	out, back, waits, under := view(rollout.PhasePromoted, true), view(rollout.PhaseRolledBack, true), view(rollout.PhasePaused, true), view(rollout.PhaseBaking, false)
	for want, views := range map[int][]rollout.View{0: {out}, 3: {out, under, waits, back}, 4: {out, under, waits}, 5: {under, out}} {
		socket, _ := start(t, &fake{views: views})
		if got := invoke(t, "status", "--exit-code", "--socket", socket); got.code != want || got.stderr != "" || !strings.Contains(got.stdout, "shop") {
			t.Errorf("exit %d, want %d: %s", got.code, want, got.stderr)
		}
		if got := invoke(t, "status", "--socket", socket); got.code != 0 {
			t.Errorf("without being asked for: exit %d", got.code)
		}
	}
	if got := invoke(t, "status", "--exit-code", "--address", closedAddress(t)); got.code != 1 {
		t.Errorf("exit %d", got.code)
	}
}
