package handover

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// old is an admin socket with a scripted process behind it.
func old(t *testing.T, behave func(*net.UnixConn)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.AcceptUnix()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		var request []byte
		for !strings.HasSuffix(string(request), "\r\n\r\n") {
			one := make([]byte, 1)
			if _, err := conn.Read(one); err != nil {
				return
			}
			request = append(request, one...)
		}
		behave(conn)
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return path
}

const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + Protocol + "\r\n\r\n"

func socket(t *testing.T, name string) Socket {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return Socket{Name: name, Address: listener.Addr().String(), Listener: listener}
}

// The whole conversation. A connection that waits in the queue of a socket is found by the new owner, also when the old one has
// closed it.
func TestConversation(t *testing.T) {
	http, admin := socket(t, "http"), socket(t, "admin")
	waiting, err := net.Dial("tcp", http.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	ended := make(chan error, 1)
	path := old(t, func(conn *net.UnixConn) {
		_, _ = io.WriteString(conn, accepted)
		offer := NewOffer(conn)
		pid, err := offer.Give([]Socket{http, admin})
		if err == nil && pid != os.Getpid() {
			err = errors.New("another process")
		}
		if err == nil {
			err = offer.Released()
		}
		http.Listener.Close()
		ended <- errors.Join(err, offer.Close())
	})
	claim, err := Ask(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	sockets := claim.Take()
	if len(sockets) != 2 || sockets[0].Name != "http" || sockets[0].Address != http.Address || sockets[1].Name != "admin" || claim.Take() != nil {
		t.Fatalf("got %+v", sockets)
	}
	defer Close(sockets)
	if err := errors.Join(claim.Prepared(), claim.Serving(), <-ended, claim.Close()); err != nil {
		t.Fatal(err)
	}
	_ = sockets[0].Listener.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := sockets[0].Listener.Accept()
	if err != nil || conn.RemoteAddr().String() != waiting.LocalAddr().String() {
		t.Fatalf("got %v, %v", conn, err)
	}
	conn.Close()
}

func TestNobody(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	for _, path := range []string{left, left + ".none"} {
		if _, err := Ask(context.Background(), path); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// descriptors is how many files the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("SKIP: no /proc here: %v", err)
	}
	return len(list)
}

// Whatever the other side says instead, it is an error, and no descriptor stays behind.
func TestNonsense(t *testing.T) {
	s := socket(t, "http")
	before := descriptors(t)
	for name, behave := range map[string]func(*net.UnixConn){
		"nothing": func(*net.UnixConn) {},
		"refusal": func(c *net.UnixConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
		},
		"not HTTP": func(c *net.UnixConn) { _, _ = io.WriteString(c, "SSH-2.0\r\n\r\n") },
		"endless":  func(c *net.UnixConn) { _, _ = io.WriteString(c, strings.Repeat("x", 2*messageLongest)) },
		"no list":  func(c *net.UnixConn) { _, _ = io.WriteString(c, accepted+"hello\n") },
		"no sockets": func(c *net.UnixConn) {
			_, _ = io.WriteString(c, accepted+`[{"name":"http"}]`+"\n")
		},
		"more sockets than named": func(c *net.UnixConn) {
			p := peer{conn: c}
			_, _ = io.WriteString(c, accepted)
			_ = p.say(`[{"name":"http"}]`, []Socket{s, s, s})
		},
		"cut": func(c *net.UnixConn) {
			p := peer{conn: c}
			_, _ = io.WriteString(c, accepted)
			_ = p.say(strings.Repeat(" ", 10), []Socket{s})
		},
	} {
		claim, err := Ask(context.Background(), old(t, behave))
		if err == nil {
			t.Errorf("%s: no error", name)
			claim.Close()
		}
	}
	// The listeners of the scripts stay open until the test ends: one each.
	if after := descriptors(t); after > before+8+1 {
		t.Errorf("%d descriptors were open, %d are", before, after)
	}
}

// A side that hears something else than it waits for stops.
func TestWrongWord(t *testing.T) {
	path := old(t, func(conn *net.UnixConn) {
		p := peer{conn: conn, reader: bufio.NewReader(conn)}
		_, _ = io.WriteString(conn, accepted+"[]\n")
		_, _ = p.hear(prepared)
		_ = p.say(serving, nil)
	})
	claim, err := Ask(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Close()
	if err := claim.Prepared(); err == nil || !strings.Contains(err.Error(), `expected "released", got "serving"`) {
		t.Errorf("got %v", err)
	}
}
