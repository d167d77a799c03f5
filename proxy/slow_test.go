//go:build !race

package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"haldane/config"
)

// inUse is the memory that the process uses right now.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// pouring is an endpoint that sends a piece 160 times behind a head, as fast as it is taken, and takes next to no memory for it.
func pouring(t *testing.T, head string, piece []byte) string {
	return accepting(t, func(conn net.Conn) {
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		for range 160 {
			if _, err := conn.Write(piece); err != nil {
				return
			}
		}
	})
}

// A client that does not read holds little memory, however large its response is, and not for ever. What limits.header_size
// lets a request's head take comes on top.
func TestSlowReaders(t *testing.T) {
	const clients, most = 100, 64_000
	data := make([]byte, 64<<10)
	for _, answer := range []struct {
		name, head string
		piece      []byte
	}{
		{"a stated length", fmt.Sprintf("Content-Length: %d\r\n\r\n", 160*len(data)), data},
		{"one chunk", "Transfer-Encoding: chunked\r\n\r\na00000\r\n", data},
		{"chunks of 8 KiB", "Transfer-Encoding: chunked\r\n\r\n", bytes.Repeat([]byte("2000\r\n"+string(data[:8<<10])+"\r\n"), 8)},
		{"until close", "\r\n", data},
	} {
		s := plain(pouring(t, "HTTP/1.1 200 OK\r\n"+answer.head, answer.piece))
		s.Limits.HeaderSize = 4 << 10
		s.Timeouts.Write = config.Duration(3 * time.Second)
		r := start(t, s)
		each := r.stuckReaders(clients, most)
		t.Logf("%s: %d bytes for each client, with what the test's two ends take", answer.name, each)
		if each > most {
			t.Errorf("%s: %d bytes for each client", answer.name, each)
		}
		await(t, "the write limit to end them", func() bool { return r.server.conns.len() == 0 })
	}
}

// stuckReaders lets clients send a request each and read nothing, and returns what each of them takes, in octets. When it is
// more than most, some may not be stuck yet: on a busy machine it takes a moment to get the first response to all.
func (r *rig) stuckReaders(clients int, most int64) int64 {
	r.t.Helper()
	before, begun := inUse(), time.Now()
	for range clients {
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			r.t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		r.t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, get("/")); err != nil {
			r.t.Fatal(err)
		}
	}
	await(r.t, "all to be served", func() bool {
		waiting := 0
		r.server.conns.each(func(c *clientConn) {
			if c.state.Load() == connActive && c.watched.Load() != 0 {
				waiting++
			}
		})
		return waiting == clients && time.Since(begun) > 500*time.Millisecond
	})
	each := (inUse() - before) / int64(clients)
	for each > most && time.Since(begun) < 2500*time.Millisecond { // before the write limit ends any
		each = (inUse() - before) / int64(clients)
	}
	return each
}
