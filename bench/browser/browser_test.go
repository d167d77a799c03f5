//go:build !race

package browser

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"haldane/bench/process"
)

// TestUnits tests what the pages compute, without a browser.
func TestUnits(t *testing.T) {
	node := tools(t)
	run(t, node, nil, "--test", "unit.mjs")
}

// TestDashboard plays a release in the browser, as an operator and as somebody who may only look, and everything else that one can do there.
// HALDANE_SCREENSHOTS names a folder into which it puts pictures of the pages.
func TestDashboard(t *testing.T) {
	node := tools(t)
	w := newWorld(t, process.Build(t))
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { w.clients(ctx) })
	process.Until(t, "there is traffic", func() bool { return w.answers.Load() > 100 })
	run(t, node, []string{
		"ADMIN=http://" + w.process.Admin, "CONTROL=" + w.control.URL, "CHROMIUM=" + chromium(),
		"OPERATE=" + operateToken, "READ=" + readToken, "SHOTS=" + os.Getenv("HALDANE_SCREENSHOTS"),
	}, cmp.Or(os.Getenv("PLAY"), "play.mjs"))
}

// run runs a script to its end.
func run(t *testing.T, node string, environment []string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, node, arguments...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%v: %v", arguments, err)
	}
}

// tools finds Node.js, and leaves the test out when it, the library or the browser is not there.
func tools(t *testing.T) (node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	missing := ""
	if err != nil {
		missing = "Node.js is missing"
	} else if _, err := os.Stat(filepath.Join("node_modules", "axe-core")); err != nil {
		missing = "playwright-core or axe-core is missing (npm ci in bench/browser)"
	} else if chromium() == "" {
		missing = "chromium-headless-shell is missing (the Debian package of that name)"
	}
	if missing == "" {
		return node
	}
	if os.Getenv("HALDANE_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s, and HALDANE_REQUIRE_TOOLS=1 wants it", missing)
	}
	t.Skipf("SKIP: ===== %s: the dashboard was not tried in a browser =====", missing)
	return ""
}

// chromium is where the browser is; empty without one.
func chromium() string {
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
