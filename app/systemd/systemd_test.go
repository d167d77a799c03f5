package systemd

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A process that this variable is set for is the child of a test.
const childVariable = "HALDANE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	os.Exit(m.Run())
}

// child takes the sockets, serves one connection of each with its name, and says what went wrong.
func child() {
	sockets, err := Sockets(os.LookupEnv, os.Getpid(), "http", "https")
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(len(sockets), "sockets")
	for _, s := range sockets {
		conn, err := s.Listener.Accept()
		if err != nil {
			fmt.Println("error:", err)
			return
		}
		_, _ = io.WriteString(conn, s.Name)
		_ = conn.Close()
	}
}

// withSockets runs the child as a service manager would, and gives what it prints.
func withSockets(t *testing.T, names string, files ...*os.File) func() string {
	t.Helper()
	command := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	command.ExtraFiles = files
	command.Env = append(os.Environ(), childVariable+"=1", fmt.Sprintf("LISTEN_FDS=%d", len(files)), "LISTEN_FDNAMES="+names)
	var out strings.Builder
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		_ = command.Wait()
		return out.String()
	}
}

// listening is a socket and its file.
func listening(t *testing.T) (net.Listener, *os.File) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return listener, file
}

func TestSockets(t *testing.T) {
	one, first := listening(t)
	two, second := listening(t)
	wait := withSockets(t, "https:http", first, second)
	for _, c := range []struct {
		listener net.Listener
		want     string
	}{{one, "https"}, {two, "http"}} { // in the order in which the child serves them
		conn, err := net.Dial("tcp", c.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if got, err := io.ReadAll(conn); err != nil || string(got) != c.want {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
		}
		conn.Close()
	}
	if out := wait(); out != "2 sockets\n" {
		t.Errorf("the child says %q", out)
	}
}

func TestSocketsThatAreWrong(t *testing.T) {
	_, file := listening(t)
	plain, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, c := range []struct {
		names string
		file  *os.File
		want  string
	}{
		{"haldane.socket", file, `a socket is called "haldane.socket": set FileDescriptorName= in its unit to one of http, https`},
		{"", file, `a socket is called ""`},
		{"http", plain, "http: "},
	} {
		if out := withSockets(t, c.names, c.file)(); !strings.Contains(out, "error: ") || !strings.Contains(out, c.want) {
			t.Errorf("%q: the child says %q", c.names, out)
		}
	}
}

func TestNoSockets(t *testing.T) {
	for name, environment := range map[string]map[string]string{
		"none":             {},
		"somebody else's":  {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"},
		"of a bad process": {"LISTEN_PID": "x", "LISTEN_FDS": "1"},
	} {
		sockets, err := Sockets(lookup(environment), 4711, "http")
		if len(sockets) > 0 || err != nil {
			t.Errorf("%s: %v, %v", name, sockets, err)
		}
	}
	for _, count := range []string{"", "x", "-1", "1000000"} {
		if _, err := Sockets(lookup(map[string]string{"LISTEN_PID": "4711", "LISTEN_FDS": count}), 4711, "http"); err == nil {
			t.Errorf("LISTEN_FDS=%q is taken", count)
		}
	}
}

func lookup(environment map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, ok := environment[name]; return value, ok }
}

func TestNotify(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@haldane-test-%d", os.Getpid())} {
		address := name
		if strings.HasPrefix(name, "@") {
			address = "\x00" + name[1:]
		}
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		n := NewNotifier(lookup(map[string]string{"NOTIFY_SOCKET": name}))
		for _, c := range []struct {
			say  func() error
			want string
		}{
			{func() error { return n.Ready("serving") }, "^READY=1\nSTATUS=serving$"},
			{n.Reloading, "^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*$"},
			{func() error { return n.Stopping("draining") }, "^STOPPING=1\nSTATUS=draining$"},
			{func() error { return n.MainPID(42) }, "^MAINPID=42$"},
		} {
			if err := c.say(); err != nil {
				t.Fatal(err)
			}
			heard := make([]byte, 1024)
			_ = manager.SetReadDeadline(time.Now().Add(20 * time.Second))
			length, err := manager.Read(heard)
			if err != nil || !regexp.MustCompile(c.want).Match(heard[:length]) {
				t.Errorf("heard %q, %v, want %s", heard[:length], err, c.want)
			}
		}
		manager.Close()
		if err := n.Ready("x"); err == nil {
			t.Error("nobody hears, and that is no error")
		}
	}
	if err := NewNotifier(lookup(nil)).Ready("x"); err != nil {
		t.Error(err)
	}
}
