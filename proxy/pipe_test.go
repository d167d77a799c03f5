package proxy

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"haldane/config"
)

// large is the size of a body that goes through a pipe.
const large = 3 << 20

// noise is so many octets that look alike nowhere.
func noise(size int) []byte {
	dice := rand.NewChaCha8([32]byte{1})
	data := make([]byte, size)
	_, _ = dice.Read(data)
	return data
}

// sending is an endpoint that answers every connection's requests with a stated length and so much of the data, piece by piece, and
// closes the connection where that is not all.
func sending(t *testing.T, data []byte, sent, piece int) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				scrap := make([]byte, 4096)
				for {
					if _, err := conn.Read(scrap); err != nil {
						return
					}
					if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(data)); err != nil {
						return
					}
					for at := 0; at < sent; at += piece {
						if _, err := conn.Write(data[at:min(at+piece, sent)]); err != nil {
							return
						}
					}
					if sent < len(data) {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// A large body arrives as it was sent, and the connection goes on to serve.
func TestLargeBodies(t *testing.T) {
	data := noise(large)
	for _, piece := range []int{large, 100_000, 7_001} {
		r := start(t, plain(sending(t, data, large, piece)))
		c := r.dial()
		for range 3 {
			if got := c.send(get("/")).receive(); got.status() != 200 || !bytes.Equal([]byte(got.body), data) {
				t.Errorf("in pieces of %d: %q with %d octets, not the %d that were sent", piece, got.line, len(got.body), len(data))
			}
		}
		await(t, "the last pipe to be closed", func() bool { return r.server.pipes.Load() == 0 })
	}
}

// A large body that is cut short stays visibly so, and what there was of it arrives.
func TestALargeBodyCutShort(t *testing.T) {
	data := noise(large)
	r := start(t, plain(sending(t, data, large*2/3, 50_000)))
	m, err := readResponse(r.dial().send(get("/")).reader, "GET")
	if err == nil && m.whole {
		t.Fatal("passed for whole")
	}
	if !bytes.HasPrefix(data, []byte(m.body)) || len(m.body) < large/2 {
		t.Errorf("%d octets, or others than were sent", len(m.body))
	}
	await(t, "the pipe to be closed", func() bool { return r.server.pipes.Load() == 0 })
}

// Whoever reads slowly gets all, and whoever does not read at all is cut when the write limit is over: with more of them than there
// are pipes, too.
func TestLargeBodiesOfSlowClients(t *testing.T) {
	data := noise(large)
	s := plain(sending(t, data, large, large))
	s.Timeouts.Write = config.Duration(2 * time.Second)
	r := start(t, s)
	for range pipesMost + 6 {
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, get("/")); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS == "linux" {
		await(t, "all pipes to be in use", func() bool { return r.server.pipes.Load() == pipesMost })
	}
	if got := r.dial().send(get("/")).receive(); !bytes.Equal([]byte(got.body), data) {
		t.Errorf("without a pipe: %d octets, or others than were sent", len(got.body))
	}
	await(t, "the write limit to end them", func() bool { return r.server.conns.len() == 1 && r.server.pipes.Load() == 0 })
}
