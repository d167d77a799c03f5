package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/rollout"
)

func TestOutputs(t *testing.T) {
	socket, _ := start(t, &fake{views: []rollout.View{cart(), shop()}})
	for name, args := range map[string][]string{
		"status":              {"status"},
		"status_service":      {"status", "shop"},
		"status_hostile":      {"status", "cart"},
		"status_json":         {"status", "cart", "-o", "json"},
		"status_yaml":         {"status", "cart", "--output", "yaml"},
		"history":             {"history", "shop"},
		"history_empty":       {"history", "cart"},
		"pause":               {"pause", "shop"},
		"abort_all":           {"abort", "--all"},
		"unknown_service":     {"pause", "none"},
		"service_no_rollout":  {"status", "quiet"},
		"wrong_output":        {"status", "-o", "xml"},
		"watch_yaml":          {"watch", "-o", "yaml"},
		"watch_unknown":       {"watch", "none"},
		"no_arguments":        {"pause"},
		"unknown_flag":        {"status", "--sokcet", "x"},
		"unknown_command":     {"statsu"},
		"bad_percent":         {"set-weight", "shop", "101%"},
		"abort_nothing":       {"abort"},
		"abort_both":          {"abort", "shop", "--all"},
		"override_nothing":    {"override", "shop"},
		"override_both":       {"override", "shop", "v1", "--clear"},
		"version":             {"version"},
		"version_flag":        {"--version"},
		"help":                {},
		"help_promote":        {"promote", "--help"},
		"help_of_promote":     {"help", "promote"},
		"help_of_nothing":     {"help", "promot"},
		"run_extra":           {"run", "extra"},
		"set_weight":          {"set-weight", "shop", "7%"},
		"resume":              {"resume", "shop"},
		"both_ways_to_get_in": {"status", "--address", "127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := invoke(t, append(args, "--socket", socket)...)
			if name == "help" || name == "version" || name == "version_flag" {
				got = invoke(t, args...)
			}
			text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
			if got.stderr != "" {
				text += "--- stderr\n" + got.stderr
			}
			golden(t, name, text+"--- exit "+string(rune('0'+got.code))+"\n")
		})
	}
}

func TestOrders(t *testing.T) {
	f := &fake{views: []rollout.View{shop()}}
	socket, _ := start(t, f)
	for _, c := range []struct {
		args string
		want rollout.Command
	}{
		{"start shop", rollout.Command{Kind: rollout.CommandStart}},
		{"promote shop", rollout.Command{Kind: rollout.CommandPromote}},
		{"promote shop --full", rollout.Command{Kind: rollout.CommandPromoteFull}},
		{"pause shop --reason lunch", rollout.Command{Kind: rollout.CommandPause, Reason: "lunch"}},
		{"resume shop", rollout.Command{Kind: rollout.CommandResume}},
		{"abort shop --reason=fire", rollout.Command{Kind: rollout.CommandAbort, Reason: "fire"}},
		{"abort --all --reason fire", rollout.Command{Kind: rollout.CommandAbort, Reason: "fire"}},
		{"retry shop", rollout.Command{Kind: rollout.CommandRetry}},
		{"retry shop --force", rollout.Command{Kind: rollout.CommandRetry, Force: true}},
		{"set-weight shop 0.01%", rollout.Command{Kind: rollout.CommandSetWeight, Weight: onePart / 100}},
		{"set-weight shop 7.5", rollout.Command{Kind: rollout.CommandSetWeight, Weight: onePart / 10 * 75}},
		{"set-weight shop 0", rollout.Command{Kind: rollout.CommandSetWeight}},
		{"override shop v1", rollout.Command{Kind: rollout.CommandOverride, Variant: "v1"}},
		{"override shop --clear", rollout.Command{Kind: rollout.CommandClearOverride}},
	} {
		got := invoke(t, append(strings.Fields(c.args), "--socket", socket)...)
		if got.code != exitOK || got.stderr != "" || got.stdout == "" {
			t.Errorf("%s: %+v", c.args, got)
		}
		c.want.Actor = "ann@desk"
		want := ordered{"shop", c.want}
		if strings.Contains(c.args, "--all") {
			want.Service = "*"
		}
		given := f.taken()
		for _, one := range given { // these are of this process, and another one with each order
			if one.Command.Key == "" || !strings.HasPrefix(one.Command.Caller, "socket, uid ") {
				t.Errorf("%s: key %q, caller %q", c.args, one.Command.Key, one.Command.Caller)
			}
			want.Command.Key, want.Command.Caller = one.Command.Key, one.Command.Caller
		}
		if diff := cmp.Diff([]ordered{want}, given); diff != "" {
			t.Errorf("%s: %s", c.args, diff)
		}
	}
}

// A service may be called anything; its name is one part of the path.
func TestServiceNameIsEscaped(t *testing.T) {
	view := shop()
	view.Service = "a/../b?c %"
	f := &fake{views: []rollout.View{view}}
	socket, _ := start(t, f)
	if got := invoke(t, "pause", view.Service, "--socket", socket); got.code != exitOK {
		t.Errorf("%+v", got)
	}
	if got := f.taken(); len(got) != 1 || got[0].Service != view.Service {
		t.Errorf("%+v", got)
	}
}

// After an override the answer says who gets the traffic now.
func TestOverrideIsShown(t *testing.T) {
	view := shop()
	view.Override = "v1"
	socket, _ := start(t, &fake{views: []rollout.View{view}})
	got := invoke(t, "override", "shop", "v1", "--socket", socket)
	if !strings.Contains(got.stdout, "; v1 gets all traffic (override); ") {
		t.Errorf("%+v", got)
	}
}

func TestImpossible(t *testing.T) {
	f := &fake{views: []rollout.View{shop()}}
	f.err = &rollout.ImpossibleError{
		Service: "shop", Command: rollout.CommandStart, Phase: rollout.PhaseProgressing,
		Possible: []rollout.CommandKind{rollout.CommandPause, rollout.CommandAbort},
	}
	socket, _ := start(t, f)
	got := invoke(t, "start", "shop", "--socket", socket)
	want := result{exitFailed, "", "haldane: " + f.err.Error() + "\n"}
	if got != want {
		t.Errorf("%+v", got)
	}
	f.err = errors.New("disk on fire")
	if got := invoke(t, "start", "shop", "--socket", socket); got.code != exitFailed || !strings.Contains(got.stderr, "disk on fire") {
		t.Errorf("%+v", got)
	}
}

func TestOverTCP(t *testing.T) {
	f := &fake{views: []rollout.View{shop()}}
	_, address := start(t, f)
	good, open := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "open")
	wrong := filepath.Join(t.TempDir(), "wrong")
	for path, text := range map[string]string{good: secret + "\n", open: secret, wrong: "x" + secret[1:]} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		environment map[string]string
		args        []string
		code        int
		stderr      string // part of it
	}{
		{"read without a token", nil, []string{"status", "--address", address}, 0, ""},
		{"as a URL", nil, []string{"status", "--address", "http://" + address + "/"}, 0, ""},
		{"change with the token", nil, []string{"pause", "shop", "--address", address, "--token-file", good}, 0, ""},
		{"all by environment", map[string]string{"HALDANE_ADDRESS": address, "HALDANE_TOKEN_FILE": good}, []string{"pause", "shop"}, 0, ""},
		{"flag over environment", map[string]string{"HALDANE_ADDRESS": "127.0.0.1:1"}, []string{"status", "--address", address}, 0, ""},
		{"flag over the environment's socket", map[string]string{"HALDANE_SOCKET": "/nowhere"}, []string{"status", "--address", address}, 0, ""},
		{"change without a token", nil, []string{"pause", "shop", "--address", address}, 1, "; use --token-file, or the unix socket"},
		{"wrong token", nil, []string{"pause", "shop", "--address", address, "--token-file", wrong}, 1, "the admin token is wrong; use --token-file"},
		{"token that all can read", nil, []string{"pause", "shop", "--address", address, "--token-file", open}, 1, "is open to others (mode 0644): run chmod 600"},
		{"no such token file", nil, []string{"pause", "shop", "--address", address, "--token-file", "/nowhere"}, 1, "/nowhere"},
		{"nonsense", nil, []string{"status", "--address", "ftp://x"}, 2, `"ftp://x" is neither host:port nor a URL`},
		{"with a path", nil, []string{"status", "--address", "http://x/y"}, 2, "is neither host:port nor a URL"},
		{"with a password", nil, []string{"status", "--address", "http://a:b@x"}, 2, "is neither host:port nor a URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := invokeWith(t, c.environment, c.args...)
			if got.code != c.code || !strings.Contains(got.stderr, c.stderr) || (c.code == 0) != (got.stderr == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// With a read token, reading over TCP needs one of the two, and the read token changes nothing.
func TestOverTCPWithAReadToken(t *testing.T) {
	const read = "a-token-that-only-reads"
	_, address := startGuarded(t, &fake{views: []rollout.View{shop()}}, read)
	file := filepath.Join(t.TempDir(), "read")
	if err := os.WriteFile(file, []byte(read), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		code   int
		stderr string // part of it
	}{
		{[]string{"status", "--address", address}, 1, "needs the admin token (Authorization: Bearer); use --token-file"},
		{[]string{"status", "--address", address, "--token-file", file}, 0, ""},
		{[]string{"pause", "shop", "--address", address, "--token-file", file}, 1, "change nothing; changes need the admin token; is the right file named"},
	} {
		got := invoke(t, c.args...)
		if got.code != c.code || !strings.Contains(got.stderr, c.stderr) || strings.Contains(got.stderr, read) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none.sock")
	got := invoke(t, "status", "--socket", socket)
	if got.code != exitFailed || !strings.HasPrefix(got.stderr, "haldane: cannot reach Haldane at "+socket+": is it running? use --socket or --address") {
		t.Errorf("%+v", got)
	}
	address := closedAddress(t)
	got = invoke(t, "status", "--address", address)
	if got.code != exitFailed || !strings.HasPrefix(got.stderr, "haldane: cannot reach Haldane at http://"+address+": is it running? use --socket or --address") {
		t.Errorf("%+v", got)
	}
	if strings.Contains(got.stderr, "/api/") {
		t.Errorf("the message names a path: %s", got.stderr)
	}
}
