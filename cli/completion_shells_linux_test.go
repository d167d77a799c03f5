package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"haldane/rollout"
)

// shellHome is a folder with this program under its name, and its completion for a shell.
func shellHome(t *testing.T, shell string) (folder, script string) {
	t.Helper()
	if os.Getenv("HALDANE_RACED") != "" {
		t.Skip("done in the pass with the race detector")
	}
	if _, err := exec.LookPath(shell); err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") != "" {
			t.Fatalf("%s is needed", shell)
		}
		t.Skipf("SKIP: ===== no %s: its completion was not tried =====", shell)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	script = filepath.Join(folder, "_haldane")
	for path, text := range map[string]string{
		filepath.Join(folder, "haldane"): "#!/bin/sh\n" + asItself + "=1 exec " + self + " \"$@\"\n",
		script:                           invoke(t, "completion", shell).stdout,
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return folder, script
}

// in lets a command run there.
func in(folder string, command *exec.Cmd) *exec.Cmd {
	command.Dir = folder
	command.Env = append(os.Environ(), "HOME="+folder, "TERM=dumb", "PATH="+folder+":"+os.Getenv("PATH"))
	return command
}

// fish completes commands, flags, and the names that the running Haldane knows.
func TestCompletionInFish(t *testing.T) {
	folder, script := shellHome(t, "fish")
	socket, _ := start(t, &fake{views: []rollout.View{shop(), cart()}})
	for typed, want := range map[string]string{
		"haldane sta":        "status\t",
		"haldane status -o ": "yaml",
		"haldane --socket " + socket + " status ": "cart\trolled_back, v7 -> v8",
	} {
		complete := func() bool {
			said, err := in(folder, exec.Command("fish", "--no-config", "-c", "source "+script+"; complete -C '"+typed+"'")).CombinedOutput()
			if err != nil {
				t.Fatalf("%q: %v: %s", typed, err, said)
			}
			return strings.Contains(string(said), want)
		}
		if !attempts(complete) {
			t.Errorf("%q is not completed by %q", typed, want)
		}
	}
}

// attempts tries something a few times: on a busy machine names may come later than somebody who has pressed a key waits for them.
func attempts(try func() bool) bool {
	for range 10 {
		if try() {
			return true
		}
	}
	return false
}

// zsh does the same when the tab key is pressed.
func TestCompletionInZsh(t *testing.T) {
	folder, _ := shellHome(t, "zsh")
	socket, _ := start(t, &fake{views: []rollout.View{shop(), cart()}})
	behind, terminal := terminalPair(t)
	command := in(folder, exec.Command("zsh", "-f", "-i"))
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var out seen
	var group sync.WaitGroup
	group.Go(func() { _, _ = behind.WriteTo(&out) })
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = terminal.Close()
		_ = behind.Close()
		group.Wait()
	})
	const lineAway = "\x15" // what was typed before
	for _, step := range [...]struct{ keys, shown string }{
		{"fpath=(" + folder + " $fpath); autoload -U compinit; compinit -D -u; echo ready $((6*7))\n", "ready 42"},
		{"haldane sta\t", "status  -- Show what is out"},
		{"haldane demo --ke\t", "--keep "},
		{"haldane --socket " + socket + " status \t", "rolled_back, v7 -> v8"},
	} {
		if !attempts(func() bool {
			_, err := behind.WriteString(lineAway + step.keys)
			return err == nil && out.shows(step.shown, 5*time.Second)
		}) {
			t.Fatalf("%q never shows %q: %q", step.keys, step.shown, out.String())
		}
	}
}
