//go:build !race

package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// promised is how long it takes at most, after the build, until who follows the README sees a release that was rolled back.
const promised = 3 * time.Minute

// TestReadme does what the README says at its top, and nothing else, in a folder with the built binary; then it looks into the browser.
func TestReadme(t *testing.T) {
	node := tools(t)
	commands := firstCommands(t)
	folder := t.TempDir()
	if err := os.Symlink(process.Build(t), filepath.Join(folder, "haldane")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "make"), []byte("#!/bin/sh\n[ \"$*\" = build ] # it is built already\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	printed := inBackground(t, folder, commands)
	address := ""
	process.Until(t, "the commands say where to look", func() bool {
		found := regexp.MustCompile(`http://([\d.:]+)/ui/`).FindStringSubmatch(printed())
		if found != nil {
			address = found[1]
		}
		return found != nil
	})
	run(t, node, []string{"ADMIN=http://" + address, "CHROMIUM=" + chromium(), "SHOTS=" + os.Getenv("HALDANE_SCREENSHOTS")}, "newcomer.mjs")
	if took := time.Since(began); took > promised {
		t.Errorf("it took %v", took)
	}
	process.Until(t, "the commands say that they stay", func() bool { return strings.Contains(printed(), "Still running") })
}

// firstCommands is the first block of shell in the README.
func firstCommands(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n```sh\n")
	commands, _, found := strings.Cut(after, "```")
	if !found || !strings.Contains(commands, "./haldane") {
		t.Fatalf("the README does not begin with what one can do: %q", commands)
	}
	return commands
}

// inBackground runs a script until the test ends, and returns what gives what it has printed so far.
func inBackground(t *testing.T, folder, script string) (printed func() string) {
	t.Helper()
	output, err := os.Create(filepath.Join(folder, "output"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	command.Dir, command.Stdout, command.Stderr = folder, output, output
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = 20 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	printed = func() string {
		text, err := os.ReadFile(output.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		_ = output.Close()
		if t.Failed() {
			t.Log(printed())
		}
	})
	return printed
}
