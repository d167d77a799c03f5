package app_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	product "haldane/bench/process"
)

// haldane runs a command of the binary against the socket of the process that serves this configuration.
func haldane(t *testing.T, binary, config string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	args = append(args, "--socket", filepath.Join(filepath.Dir(config), "state", "haldane.sock"))
	output, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	return string(output), err
}

// A step that wants an approval waits, also over a restart, until a person gives it on the command line: once, and by name in the audit.
func TestApprovalByCommand(t *testing.T) {
	t.Parallel()
	binary := product.Build(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	release := strings.Replace(quickRelease(stable, canary), "{weight: 20%, duration: 4s}", "{weight: 20%, duration: 1s, approval: true}", 1)
	path, address, admin := writeRelease(t, release, "1s")
	first := spawn(t, binary, path, address, admin)
	users := 0
	for deadline := time.Now().Add(30 * time.Second); first.rollout(t, "shop")["phase"] != "paused"; users++ {
		if time.Now().After(deadline) {
			t.Fatalf("it does not wait: %v", first.rollout(t, "shop"))
		}
		first.side(t, fmt.Sprintf("user-%d", users))
	}
	first.kill()

	second := spawn(t, binary, path, address, admin)
	if v := second.rollout(t, "shop"); v["phase"] != "paused" || v["weight"] != "20%" {
		t.Errorf("after the restart: %v", v)
	}
	if output, err := haldane(t, binary, path, "resume", "shop"); err == nil || !strings.Contains(output, "promote") {
		t.Errorf("a gate is opened by resume: %s", output)
	}
	output, err := haldane(t, binary, path, "promote", "shop", "--reason", "looks right")
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if v := second.rollout(t, "shop"); v["phase"] != "progressing" || v["step"] != float64(1) {
		t.Errorf("after the approval: %v", v)
	}
	audit, err := haldane(t, binary, path, "audit")
	if err != nil || strings.Count(audit, "promote") != 1 || !strings.Contains(audit, "looks right") {
		t.Errorf("%v: %s", err, audit)
	}
}
