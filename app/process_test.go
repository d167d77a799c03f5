package app_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	product "haldane/bench/process"
)

// process is Haldane in a process of its own, for what only a process can show: being killed, and its memory.
type process struct {
	command *exec.Cmd
	address string // of clients
	admin   string
}

// spawn starts the binary on a configuration with fixed ports, and waits until it is ready.
func spawn(t *testing.T, binary, config, address, admin string) *process {
	t.Helper()
	p := &process{command: exec.Command(binary, "run", "--config", config), address: address, admin: admin}
	var log bytes.Buffer
	p.command.Stdout, p.command.Stderr = &log, &log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the process:\n%s", log.String())
		}
	})
	product.Until(t, "the process is ready", func() bool {
		response, err := http.Get("http://" + admin + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// kill ends the process without a chance to store anything.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// memory is the largest resident memory the process has had, in bytes.
func (p *process) memory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Skipf("SKIP: no /proc here: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// rollout reads the state of one rollout.
func (p *process) rollout(t *testing.T, service string) map[string]any {
	t.Helper()
	response, err := http.Get("http://" + p.admin + "/api/v1/rollouts/" + service)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var view map[string]any
	if err := json.NewDecoder(response.Body).Decode(&view); err != nil {
		t.Fatal(err)
	}
	return view
}

// side is the variant that a user gets.
func (p *process) side(t *testing.T, user string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+p.address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-User", user)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.Header.Get("X-Variant")
}

// writeRelease writes the configuration of a quick release for a process: with fixed addresses, and a first step of this length.
func writeRelease(t *testing.T, release, step string) (path, address, admin string) {
	t.Helper()
	address, admin = product.FreeAddress(t), product.FreeAddress(t)
	path = filepath.Join(t.TempDir(), "haldane.yaml")
	writeConfig(t, path, strings.NewReplacer(
		`listen: {address: "127.0.0.1:0"}`, fmt.Sprintf("listen: {address: %q}", address),
		`admin: {address: "127.0.0.1:0"}`, fmt.Sprintf("admin: {address: %q}", admin),
		"duration: 4s", "duration: "+step,
	).Replace(release))
	return path, address, admin
}

// Killed on its second step, the process comes back on its second step, with every user on the side where they were.
func TestKilledProcessComesBackWhereItWas(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	path, address, admin := writeRelease(t, quickRelease(stable, canary), "2s")

	first := spawn(t, binary, path, address, admin)
	users := 0
	for deadline := time.Now().Add(30 * time.Second); first.rollout(t, "shop")["step"] != float64(1); users++ {
		if time.Now().After(deadline) {
			t.Fatalf("never on step 2: %v", first.rollout(t, "shop"))
		}
		first.side(t, fmt.Sprintf("user-%d", users))
	}
	stepped := time.Now()
	before := first.rollout(t, "shop")
	sides := make(map[string]string)
	for n := range 200 {
		user := fmt.Sprintf("someone-%d", n)
		sides[user] = first.side(t, user)
	}
	// On until there is evidence of this step in a checkpoint, and some more after it.
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); users++ {
		first.side(t, fmt.Sprintf("user-%d", users))
		if canaryRequests(t, first.rollout(t, "shop"), "step_canary") > 0 && time.Since(stepped) > 7*time.Second {
			break
		}
	}
	seen := canaryRequests(t, first.rollout(t, "shop"), "canary_total")
	first.kill()
	stored := storedEvidence(t, filepath.Join(filepath.Dir(path), "state", "haldane.db"))

	second := spawn(t, binary, path, address, admin)
	after := second.rollout(t, "shop")
	if got := canaryRequests(t, after, "canary_total"); got != stored || stored == 0 || stored > seen {
		t.Errorf("%d canary requests are judged after the restart, %d were stored and %d seen before it", got, stored, seen)
	}
	for _, what := range []string{"id", "phase", "step", "weight"} {
		if fmt.Sprint(before[what]) != fmt.Sprint(after[what]) {
			t.Errorf("%s was %v, is %v", what, before[what], after[what])
		}
	}
	for user, side := range sides {
		if now := second.side(t, user); now != side {
			t.Errorf("%s was on %s, is on %s", user, side, now)
		}
	}
}

// One GiB goes up and one GiB comes down through less than 64 MiB of memory.
func TestGibibyteInConstantMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("memory is measured in the pass without the race detector")
	}
	binary := build(t)
	const size = 1 << 30
	stable := newBackend(t, "v1")
	received := make(chan int64, 1)
	transfer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		received <- n
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
	})
	stable.handle.Store(&transfer)
	address, admin := product.FreeAddress(t), product.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	writeConfig(t, path, fmt.Sprintf(`
version: 1
listen: {address: %q}
admin: {address: %q}
state: {store: memory, directory: "%%DIR%%/state"}
services:
  shop:
    variants:
      v1: {endpoints: [%s]}
`, address, admin, stable.address))
	p := spawn(t, binary, path, address, admin)

	for _, chunked := range []bool{false, true} {
		body := io.LimitReader(zeros{}, size)
		request, err := http.NewRequest(http.MethodPost, "http://"+address+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		if !chunked {
			request.ContentLength = size
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		down, err := io.Copy(io.Discard, bufio.NewReaderSize(response.Body, 1<<20))
		response.Body.Close()
		if up := <-received; err != nil || up != size || down != size {
			t.Fatalf("chunked %v: %d up, %d down, %v", chunked, up, down, err)
		}
	}
	peak := p.memory(t)
	t.Logf("peak resident memory %d KiB", peak>>10)
	if peak > 64<<20 {
		t.Errorf("peak resident memory %d MiB, want under 64", peak>>20)
	}
}

// zeros is an endless source of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
