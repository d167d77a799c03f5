package process

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a running Haldane.
type Process struct {
	// Address is where clients connect.
	Address string
	// Admin is the admin listener.
	Admin string
	// Config is the path of the configuration file.
	Config string

	command *exec.Cmd
	log     *safeBuffer
	ended   chan struct{} // closed when the process has ended
	failure error         // why; read it after ended
}

// Options say how a process is started.
type Options struct {
	// Binary is what Build returned.
	Binary string
	// Config is the text of the configuration. %ADDRESS%, %ADMIN% and %DIR% stand for free addresses and an empty folder.
	Config string
	// Through is a command that starts the binary, such as prlimit with its options; %DIR% is the folder of the process.
	// Empty starts the binary itself.
	Through []string
	// Patience is how long the process may take until it is ready. Zero is 20 seconds.
	Patience time.Duration
}

// Build builds the command; the build cache makes all but the first one cheap.
func Build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "haldane")
	build := exec.CommandContext(context.Background(), "go", "build", "-tags", "grpcnotrace", "-o", path, "haldane") //nolint:gosec // the path is ours
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// Start starts the binary and waits until it is ready. The process is killed when the test ends; its log is shown when the
// test has failed.
func Start(t testing.TB, o Options) *Process {
	t.Helper()
	dir := t.TempDir()
	p := &Process{
		Address: FreeAddress(t), Admin: FreeAddress(t), Config: filepath.Join(dir, "haldane.yaml"),
		log: &safeBuffer{}, ended: make(chan struct{}),
	}
	p.Configure(t, o.Config)
	p.launch(t, o, dir)
	return p
}

// launch starts the binary in the folder of the process.
func (p *Process) launch(t testing.TB, o Options, dir string) {
	t.Helper()
	arguments := append(append([]string(nil), o.Through...), o.Binary, "run", "--config", p.Config)
	for i, argument := range arguments {
		arguments[i] = strings.ReplaceAll(argument, "%DIR%", dir)
	}
	p.command = exec.CommandContext(context.Background(), arguments[0], arguments[1:]...) //nolint:gosec // tests start what they have built
	p.command.Stdout, p.command.Stderr = p.log, p.log
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.ended); p.failure = p.command.Wait() }()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", p.Address, p.log.tail(6000))
		}
	})
	ready := Within(cmp.Or(o.Patience, 20*time.Second), func() bool {
		if p.Ended() {
			t.Fatalf("the process ended: %v\n%s", p.failure, p.log.tail(6000))
		}
		return p.Ready()
	})
	if !ready {
		t.Fatal("the process does not become ready")
	}
}

// Again starts another process in the place of one that has ended: with its configuration, its addresses and what it has stored.
func (p *Process) Again(t testing.TB, o Options) *Process {
	t.Helper()
	next := &Process{Address: p.Address, Admin: p.Admin, Config: p.Config, log: &safeBuffer{}, ended: make(chan struct{})}
	next.launch(t, o, filepath.Dir(p.Config))
	return next
}

// Configure replaces the configuration file as an editor would: a new file under the old name. A running process finds it by
// itself, or is told with SIGHUP.
func (p *Process) Configure(t testing.TB, text string) {
	t.Helper()
	text = strings.NewReplacer("%ADDRESS%", p.Address, "%ADMIN%", p.Admin, "%DIR%", filepath.Dir(p.Config)).Replace(text)
	fresh := p.Config + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, p.Config); err != nil {
		t.Fatal(err)
	}
}

// Ready says whether the process says that it is ready.
func (p *Process) Ready() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Admin+"/-/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Ended says whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Signal sends the process a signal.
func (p *Process) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatalf("signal %v: %v", signal, err)
	}
}

// Wait waits for the process to end by itself, for so long at most, and returns how it ended: nil for status 0.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.ended:
		return p.failure
	case <-time.After(limit):
		return fmt.Errorf("still running after %v", limit)
	}
}

// Kill ends the process without a chance to store anything, and waits for that.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// Log is what the process has logged.
func (p *Process) Log() string { return p.log.tail(1 << 20) }

// Until looks again and again whether something has become true, for 20 seconds at most.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Within(20*time.Second, holds) {
		t.Fatalf("not within 20 seconds: %s", what)
	}
}

// Within looks again and again whether something has become true, for so long at most, and says whether it has.
func Within(limit time.Duration, holds func() bool) bool {
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			return holds()
		}
	}
	return true
}

// FreeAddress is an address nobody listens on now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		// Below the ports that the kernel gives to outgoing connections, of which other tests make many.
		address := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// safeBuffer takes the log while others read it.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// tail is the last of what was written, so many bytes at most.
func (b *safeBuffer) tail(most int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.text.Bytes()
	return string(all[max(0, len(all)-most):])
}
