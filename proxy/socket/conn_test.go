package socket_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"haldane/proxy/socket"
)

// pair is a connection of which one end is wrapped, and the other is the plain one it is compared with.
func pair(t testing.TB) (wrapped net.Conn, plain *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	wrapped = socket.Wrap(accepted)
	t.Cleanup(func() {
		_ = wrapped.Close()
		_ = dialed.Close()
	})
	return wrapped, dialed.(*net.TCPConn)
}

// Pieces of all sizes, those of a quick call and larger ones, arrive as they were sent, both ways at once and with a reader that is
// slower than the writer.
func TestCarriesWhatItIsGiven(t *testing.T) {
	wrapped, plain := pair(t)
	carry := func(from, to net.Conn, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		sent := make([]byte, 8<<20)
		for i := range sent {
			sent[i] = byte(random.Uint32())
		}
		go func() {
			for rest := sent; len(rest) > 0; {
				piece := rest[:min(len(rest), 1+random.IntN(200<<10))]
				if n, err := from.Write(piece); err != nil || n != len(piece) {
					t.Errorf("wrote %d of %d: %v", n, len(piece), err)
					return
				}
				rest = rest[len(piece):]
			}
		}()
		sizes := rand.New(rand.NewPCG(seed, 2))
		var got []byte
		buffer := make([]byte, 100<<10)
		for len(got) < len(sent) {
			n, err := to.Read(buffer[:1+sizes.IntN(len(buffer))])
			if err != nil {
				t.Errorf("read: %v", err)
				return
			}
			got = append(got, buffer[:n]...)
		}
		if !bytes.Equal(got, sent) {
			t.Error("what was read is not what was written")
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		carry(wrapped, plain, 1)
	}()
	carry(plain, wrapped, 2)
	<-done
}

// A connection ends as one of package net does: the end is io.EOF, a reset and a write after the end are the errors of the system.
func TestEndsLikeAnother(t *testing.T) {
	var p [16]byte
	wrapped, plain := pair(t)
	if _, err := plain.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	_ = plain.Close()
	if n, err := io.ReadFull(wrapped, p[:4]); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := wrapped.Read(p[:]); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}

	wrapped, plain = pair(t)
	_ = plain.SetLinger(0)
	_ = plain.Close()
	if n, err := wrapped.Read(p[:]); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset: %d, %v", n, err)
	}
	if n, err := wrapped.Write(p[:]); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write after it: %d, %v", n, err)
	}

	wrapped, _ = pair(t)
	_ = wrapped.Close()
	if n, err := wrapped.Read(p[:]); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %d, %v", n, err)
	}
	if n, err := wrapped.Write(p[:]); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %d, %v", n, err)
	}
}

// Limits of time hold for reads and for writes, and one that has passed is not in the way of the next.
func TestKeepsLimits(t *testing.T) {
	wrapped, plain := pair(t)
	var p [16]byte
	_ = wrapped.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := wrapped.Read(p[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %d, %v", n, err)
	}
	_ = wrapped.SetReadDeadline(time.Time{})
	if _, err := plain.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if n, err := wrapped.Read(p[:]); string(p[:n]) != "late" || err != nil {
		t.Errorf("read: %q, %v", p[:n], err)
	}

	_ = wrapped.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	piece := make([]byte, 32<<10)
	total := 0
	for {
		n, err := wrapped.Write(piece)
		if total += n; err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
			break
		}
	}
	_ = wrapped.SetWriteDeadline(time.Time{})
	go func() {
		_, _ = wrapped.Write([]byte("end"))
		_ = wrapped.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.Copy(io.Discard, plain)
	if err != nil || got != int64(total)+3 {
		t.Errorf("%d octets arrived (%v), %d were said to be written", got, err, total+3)
	}
}

// What waits to read is woken when the connection is closed.
func TestCloseWakesAReader(t *testing.T) {
	wrapped, _ := pair(t)
	woken := make(chan error)
	go func() {
		_, err := wrapped.Read(make([]byte, 1))
		woken <- err
	}()
	_ = wrapped.Close()
	if err := <-woken; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestOnlyTCPIsWrapped(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if socket.Wrap(a) != a || socket.Plain(a) != nil {
		t.Error("a pipe is no socket")
	}
	wrapped, plain := pair(t)
	if socket.Plain(plain) != plain || socket.Plain(wrapped) == nil || socket.Plain(wrapped).RemoteAddr().String() != plain.LocalAddr().String() {
		t.Error("not the connection that lies below")
	}
}
