package admin

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// open prepares a server that is never run.
func open(t *testing.T, o Options) (*Server, error) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, s.Listen()
}

// wantError wants a message.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want %q", err, part)
		}
	}
}

func TestSecondProcessOnThePort(t *testing.T) {
	first, err := open(t, options(newFake()))
	if err != nil {
		t.Fatal(err)
	}
	o := options(newFake())
	o.Config.Address = first.Addr().String()
	_, err = open(t, o)
	wantError(t, err, "another Haldane (or other program) already listens on "+first.Addr().String())
}

func TestSecondProcessOnTheSocket(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = socketPath(t)
	if _, err := open(t, o); err != nil {
		t.Fatal(err)
	}
	second, err := open(t, o)
	wantError(t, err, "another Haldane (or other program) already listens on "+o.Config.Socket)
	// What was opened before the failure is closed again.
	if second.Addr() != nil {
		t.Errorf("half a server listens on %v", second.Addr())
	}
	peer, err := net.Dial("unix", o.Config.Socket)
	if err != nil {
		t.Fatalf("the first one has lost its socket: %v", err)
	}
	_ = peer.Close()
}

func TestSocketModes(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = socketPath(t)
	s, err := open(t, o)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(o.Config.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket's mode is %v", info.Mode())
	}
	directory := filepath.Dir(o.Config.Socket)
	if folder, err := os.Stat(directory); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode is %v (%v)", folder.Mode(), err)
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(o.Config.Socket); !os.IsNotExist(err) {
		t.Errorf("a closed socket is left behind: %v", err)
	}
}

// A killed process leaves its socket behind; the next one takes the name.
func TestStaleSocketIsReplaced(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = socketPath(t)
	if err := os.MkdirAll(filepath.Dir(o.Config.Socket), 0o700); err != nil {
		t.Fatal(err)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: o.Config.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	if got := serve(t, o).get("/-/healthy"); got.status != 200 {
		t.Errorf("status %d", got.status)
	}
}

// What is no socket is not ours to remove.
func TestFileInTheSocketsPlace(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(o.Config.Socket, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, o)
	wantError(t, err, "there is something else of that name")
	if text, err := os.ReadFile(o.Config.Socket); err != nil || string(text) != "text" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// A process that ends does not take the socket of its successor away.
func TestSuccessorKeepsTheSocket(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = socketPath(t)
	first, err := open(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(o.Config.Socket); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, o); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	peer, err := net.Dial("unix", o.Config.Socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = peer.Close()
}

func TestSocketPathTooLong(t *testing.T) {
	o := options(newFake())
	o.Config.Address, o.Config.Socket = off, filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	_, err := open(t, o)
	wantError(t, err, "the system takes paths of 107 bytes")
	// The longest folder that fits: the draft name in it must fit, too.
	base := filepath.Dir(socketPath(t))
	o.Config.Socket = base + "/" + strings.Repeat("y", socketPathLongest-draftLongest-len(base)-1) + "/s"
	if _, err := open(t, o); err != nil {
		t.Error(err)
	}
}

// Beyond loopback nothing opens without a certificate, unless it was asked for.
func TestOpenAddressIsRefused(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		o := options(newFake())
		o.Config.Address = address
		_, err := open(t, o)
		wantError(t, err, "is not loopback and has no certificate", "--insecure-admin")
	}
	for _, address := range []string{"127.0.0.1:0", "127.8.8.8:0", "localhost:0"} {
		o := options(newFake())
		o.Config.Address = address
		if _, err := open(t, o); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	o := options(newFake())
	o.Config.Address, o.Exposure = "0.0.0.0:0", Insecure
	if _, err := open(t, o); err != nil {
		t.Errorf("insecure: %v", err)
	}
	o.Config.Token, o.Config.TokenFile = "", ""
	_, err := open(t, o)
	wantError(t, err, "neither a token nor a token file")
}

func TestOptionsThatAreMissing(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Rollouts = nil },
		func(o *Options) { o.Gatherer = nil },
	} {
		o := options(newFake())
		change(&o)
		if _, err := New(o); err == nil {
			t.Error("accepted")
		}
	}
}
