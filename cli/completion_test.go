package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/admin"
	"haldane/report"
	"haldane/rollout"
)

func TestCompletion(t *testing.T) {
	held := shop()
	held.Gates.Checklist = []rollout.ItemView{{Item: "dashboards", Done: true}, {Item: "support told"}}
	f := &fake{
		views:         []rollout.View{held, cart()},
		configuration: admin.Configuration{Effective: "policies: {quick: {}, careful: {}}\n"},
		ended:         []report.Report{{Summary: report.Summary{ID: "ab12cd34ef56", Service: "shop", Canary: "v2", Result: report.Promoted}}},
	}
	socket, _ := start(t, f)
	path := writeFile(t, "contexts.yaml", "contexts: {here: {socket: x}, there: {socket: y}}\n")
	for args, want := range map[string]string{
		"status ":              "shop\tprogressing (held: no_traffic), v1 -> v2\ncart\trolled_back, v7 -> v8\n:4\n",
		"promote ":             "shop\tprogressing (held: no_traffic), v1 -> v2\ncart\trolled_back, v7 -> v8\n:4\n",
		"promote shop ":        ":4\n",
		"override quiet ":      "v1\nv2\n:4\n",
		"override nobody ":     ":4\n",
		"tick shop ":           "2\tsupport told\n:4\n",
		"report ":              "shop\nab12cd34ef56\tshop v2 promoted\n:4\n",
		"replay x --policy ":   "careful\nquick\n:4\n",
		"status -o ":           "table\njson\nyaml\n:4\n",
		"report x --format ":   "markdown\nhtml\njson\n:4\n",
		"status --context ":    "here\nthere\n:4\n",
		"context use ":         "here\nthere\n:4\n",
		"drill --service ":     "shop\tprogressing (held: no_traffic), v1 -> v2\ncart\trolled_back, v7 -> v8\n:4\n",
		"--address x status ":  ":4\n", // both ways to get in
		"config diff whatever": ":0\n", // files
	} {
		list := append([]string{"__complete", "--socket", socket}, strings.Split(args, " ")...)
		got := invokeWith(t, map[string]string{"HALDANE_CONTEXTS": path}, list...)
		if diff := cmp.Diff(want, got.stdout); diff != "" || got.code != 0 {
			t.Errorf("%q: exit %d: %s", args, got.code, diff)
		}
	}
}

// Without anybody to ask it is silent, and quick.
func TestCompletionOfNobody(t *testing.T) {
	began := time.Now()
	got := invoke(t, "__complete", "--address", closedAddress(t), "status", "")
	if got.code != 0 || got.stdout != ":4\n" || time.Since(began) > 5*time.Second {
		t.Errorf("exit %d after %v: %q", got.code, time.Since(began), got.stdout)
	}
}

// Every shell gets a script, and bash can read its own.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := invoke(t, "completion", shell)
		if got.code != 0 || !strings.Contains(got.stdout, "__complete") {
			t.Errorf("%s: exit %d: %s", shell, got.code, got.stderr)
		}
		if program, err := exec.LookPath(shell); shell == "bash" && err == nil {
			command := exec.Command(program, "-n")
			command.Stdin = bytes.NewBufferString(got.stdout)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		}
	}
}
