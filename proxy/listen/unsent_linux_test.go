package listen

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A client that does not read makes the system hold little more than the bound.
func TestBoundUnsent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	BoundUnsent(conn)
	_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := conn.Write(make([]byte, 16<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > 2*unsentMost {
		t.Errorf("%d bytes were taken, error %v", n, err)
	}
	local, remote := net.Pipe()
	defer local.Close()
	defer remote.Close()
	BoundUnsent(local) // nothing to be done
}
