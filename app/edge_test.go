package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	product "haldane/bench/process"
)

// edgeConfig is one service on given addresses, with more lines at the top.
func edgeConfig(address, admin, endpoint, more string) string {
	return fmt.Sprintf(`
version: 1
listen: {address: %q}
admin: {address: %q}
state: {store: memory, directory: "%%DIR%%/state"}
%s
services:
  shop:
    variants: {v1: {endpoints: [%q]}}
`, address, admin, more, endpoint)
}

// A stopping process first only says that it is not ready, and goes on; a second signal ends everything at once.
func TestShutdownDelayAndSecondSignal(t *testing.T) {
	t.Parallel()
	binary := build(t)
	stable := newBackend(t, "v1")
	hang := make(chan struct{})
	defer close(hang)
	address, admin := product.FreeAddress(t), product.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	writeConfig(t, path, edgeConfig(address, admin, stable.address, "timeouts: {shutdown_delay: 1s, drain: 1h}"))
	p := spawn(t, binary, path, address, admin)
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	client := newClient(t)
	get := func(url string) (int, bool) {
		response, err := client.Get(url)
		if err != nil {
			return 0, false
		}
		defer response.Body.Close()
		return response.StatusCode, response.Close
	}
	product.Until(t, "readiness is gone", func() bool {
		status, _ := get("http://" + admin + "/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, closing := get("http://" + address + "/"); status != http.StatusOK || closing {
		t.Errorf("in the delay: %d, told to close %v", status, closing)
	}
	arrived := make(chan struct{})
	slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-hang })
	stable.handle.Store(&slow)
	cut := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + address + "/slow")
		if err == nil {
			response.Body.Close()
		}
		cut <- err
	}()
	<-arrived
	product.Until(t, "no connection is taken", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := p.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if err := <-cut; err == nil {
		t.Error("a request that was cut got an answer")
	}
}

// The service manager opens the sockets and is told what happens. A connection that was made before the process began is served.
func TestServiceManager(t *testing.T) {
	t.Parallel()
	binary := build(t)
	dir := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	hear := func(want string) {
		t.Helper()
		buffer := make([]byte, 1024)
		_ = manager.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := manager.Read(buffer)
		if err != nil || !strings.HasPrefix(string(buffer[:n]), want) {
			t.Fatalf("heard %q, %v, want %q", buffer[:n], err, want)
		}
	}
	var files []*os.File
	var addresses []string
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		addresses, files = append(addresses, listener.Addr().String()), append(files, file)
		listener.Close()
	}
	early, err := net.Dial("tcp", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	path := filepath.Join(dir, "haldane.yaml")
	writeConfig(t, path, edgeConfig("127.0.0.1:1", "127.0.0.1:1", newBackend(t, "v1").address, ""))
	p := &process{address: addresses[0], admin: addresses[1]}
	command := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" run --config "$1"`, binary, path)
	command.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES=http:admin", "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	command.ExtraFiles = files
	p = p.begin(t, command)
	for _, file := range files {
		file.Close()
	}
	hear("READY=1\nSTATUS=serving")
	_ = early.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(early, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(bufio.NewReader(early), nil); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the early connection got %+v, %v", response, err)
	}
	if response, err := http.Get("http://" + p.admin + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the admin side: %+v, %v", response, err)
	}
	if err := p.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hear("RELOADING=1\nMONOTONIC_USEC=")
	hear("READY=1\nSTATUS=serving")
	next := exec.Command(binary, "run", "--config", path, "--take-over")
	next.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	second := p.begin(t, next)
	hear(fmt.Sprintf("MAINPID=%d", second.command.Process.Pid))
	hear("READY=1\nSTATUS=serving")
	if err := p.command.Wait(); err != nil {
		t.Errorf("the process that was taken over ended with %v", err)
	}
	if err := second.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1\n")
	if err := second.command.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
}

// With few descriptors and many clients the admin side answers, clients that are too many are turned away and counted, no
// endpoint is blamed, and when the clients leave everything is as before.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	binary := build(t)
	address, admin := product.FreeAddress(t), product.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	stable, busy := newBackend(t, "v1"), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-busy; fmt.Fprintln(w, "v1") })
	stable.handle.Store(&slow)
	writeConfig(t, path, edgeConfig(address, admin, stable.address, ""))
	(&process{address: address, admin: admin}).begin(t, exec.Command("sh", "-c", `ulimit -n 256; exec "$0" run --config "$1"`, binary, path))
	page := func() string {
		response, err := http.Get("http://" + admin + "/metrics")
		if err != nil {
			return ""
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	product.Until(t, "it is ready", func() bool { return page() != "" })
	var clients []net.Conn
	for range 400 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		clients = append(clients, conn)
	}
	for _, conn := range clients {
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
	}
	product.Until(t, "all that there is room for are at work", func() bool { return strings.Contains(page(), "haldane_client_connections 96\n") })
	close(busy)
	served := 0
	for _, conn := range clients {
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		switch {
		case err == nil && response.StatusCode == http.StatusOK:
			served++
		case err == nil && response.StatusCode != http.StatusServiceUnavailable:
			t.Errorf("a client got %s", response.Status)
		}
	}
	metrics := page()
	if served != 96 || strings.Contains(metrics, `reason="limit"} 0`) || !strings.Contains(metrics, `reason="limit"}`) {
		t.Errorf("%d clients were served; metrics:\n%s", served, metrics)
	}
	if strings.Contains(metrics, `outcome="connect"} 1`) {
		t.Error("the endpoint was blamed")
	}
	for _, conn := range clients {
		conn.Close()
	}
	product.Until(t, "new clients are served", func() bool {
		response, err := newClient(t).Get("http://" + address + "/")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// Two processes on one address: those who run two while they change from one to the other.
func TestReusePort(t *testing.T) {
	t.Parallel()
	address := product.FreeAddress(t)
	text := strings.NewReplacer(
		`listen: {address: "127.0.0.1:0"}`, fmt.Sprintf("listen: {address: %q, reuse_port: true}", address), "store: file", "store: memory",
	).Replace(preamble) + fmt.Sprintf(`
services:
  shop:
    variants: {v1: {endpoints: [%q]}}
`, newBackend(t, "v1").address)
	first := launch(t, text)
	second := launch(t, text)
	first.stop()
	if got := second.get(newClient(t), nil); got.status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
}
