package upstream

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// askedPair is an asker and the other end of its connection.
func askedPair(t *testing.T) (*asker, *net.TCPConn, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	_ = near.SetDeadline(time.Now().Add(patience))
	return newAsker(near), near.(*net.TCPConn), far.(*net.TCPConn)
}

// The answer comes to stand where the question stood, also when it comes late, and again and again.
func TestAsk(t *testing.T) {
	a, _, far := askedPair(t)
	go func() {
		var got [4]byte
		for i := 0; ; i++ {
			if _, err := io.ReadFull(far, got[:]); err != nil {
				return
			}
			if i%3 == 2 { // long enough for the asker to wait in earnest
				<-time.After(5 * time.Millisecond)
			}
			_, _ = far.Write([]byte(strings.ToUpper(string(got[:]))))
		}
	}()
	memory := make([]byte, 64)
	for range 300 {
		copy(memory, "ping")
		got := a.ask(memory[:4], memory, true)
		if got.err != nil || got.phase != askWaiting || string(memory[:got.got]) != "PING" {
			t.Fatalf("got %+v, %q", got, memory[:got.got])
		}
	}
}

// A connection that has ended, or has something to say, is not asked.
func TestAskOfANoisyConnection(t *testing.T) {
	for name, noise := range map[string]func(*net.TCPConn){
		"half closed": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"closed":      func(c *net.TCPConn) { _ = c.Close() },
		"reset":       func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		"speaking":    func(c *net.TCPConn) { _, _ = c.Write([]byte("x")) },
	} {
		a, near, far := askedPair(t)
		noise(far)
		probe := new(probe)
		probe.init(near)
		for begun := time.Now(); probe.alive() && time.Since(begun) < patience; {
			runtime.Gosched()
		}
		if got := a.ask([]byte("ping"), make([]byte, 8), true); got.phase != askNoisy || got.sent != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What ends the connection after the question, a limit included, ends the wait.
func TestAskInVain(t *testing.T) {
	a, _, far := askedPair(t)
	go func() {
		_, _ = far.Read(make([]byte, 8))
		_ = far.CloseWrite()
	}()
	if got := a.ask([]byte("ping"), make([]byte, 8), false); got.phase != askWaiting || got.err != nil || got.got != 0 {
		t.Errorf("end: %+v", got)
	}
	a, near, _ := askedPair(t)
	_ = near.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if got := a.ask([]byte("ping"), make([]byte, 8), false); got.phase != askWaiting || !errors.Is(got.err, os.ErrDeadlineExceeded) {
		t.Errorf("limit: %+v", got)
	}
	a, near, _ = askedPair(t)
	time.AfterFunc(10*time.Millisecond, func() { near.Close() })
	if got := a.ask([]byte("ping"), make([]byte, 8), false); got.phase != askWaiting || !errors.Is(got.err, net.ErrClosed) {
		t.Errorf("cut: %+v", got)
	}
}

// A question for which there is no room is not sent whole, and says how much of it was.
func TestAskTooMuch(t *testing.T) {
	a, near, _ := askedPair(t)
	_ = near.SetWriteBuffer(4096)
	question := make([]byte, 16<<20)
	got := a.ask(question, make([]byte, 8), false)
	if got.phase != askStopped || got.err != nil || got.sent == 0 || got.sent >= len(question) {
		t.Errorf("%+v", got)
	}
}
