package proxy

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"haldane/config"
	"haldane/proxy/http1"
)

// large is the size of a body that is carried in blocks.
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
		await(t, "the last block to be given back", func() bool { return r.server.blocksUsed.Load() == 0 })
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
	await(t, "the block to be given back", func() bool { return r.server.blocksUsed.Load() == 0 })
}

// Whoever reads slowly gets all, and whoever does not read at all is cut when the write limit is over: with more of them than there
// are blocks, too.
func TestLargeBodiesOfSlowClients(t *testing.T) {
	data := noise(large)
	s := plain(sending(t, data, large, large))
	s.Timeouts.Write = config.Duration(2 * time.Second)
	r := start(t, s)
	for range blocksMost + 6 {
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
	await(t, "all blocks to be in use", func() bool { return r.server.blocksUsed.Load() == blocksMost })
	if got := r.dial().send(get("/")).receive(); !bytes.Equal([]byte(got.body), data) {
		t.Errorf("without a block: %d octets, or others than were sent", len(got.body))
	}
	await(t, "the write limit to end them", func() bool { return r.server.conns.len() == 1 && r.server.blocksUsed.Load() == 0 })
}

// A large body is carried in a block as long as it is fast, and whoever turns slow gives his back.
func TestBlocksAreForTheFast(t *testing.T) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	server := start(t, plain(sending(t, nil, 0, 1))).server
	var w writer
	at := time.Now()
	// piece writes so much so long after the last one, and says whether it is a block that the next is to be read into.
	piece := func(size int, after time.Duration) bool {
		at = at.Add(after)
		w.commit(min(size, len(w.space())))
		w.now = at
		if !w.flush() {
			t.Fatal("not written")
		}
		return w.block != nil
	}
	w.open(newClientConn(server, ours, 1), 1<<20)
	if w.block == nil {
		t.Error("none for a large body")
	}
	for n, p := range []struct {
		size  int
		after time.Duration
		block bool
	}{
		{blockSize, 0, true},
		{blockSize, slowPiece, true},
		{100, 0, true},
		{blockSize, slowPiece + 1, false},
		{blockSize, slowPiece + 1, false},
		{bufferSize / 4, 0, false},
		{bufferSize, 0, true},
	} {
		if piece(p.size, p.after) != p.block {
			t.Errorf("%d octets after %v, number %d: block is %v", p.size, p.after, n, !p.block)
		}
	}
	w.close()
	w = writer{framing: http1.LengthChunked}
	w.open(newClientConn(server, ours, 2), -1)
	if w.block != nil || piece(100, 0) || piece(bufferSize*3/4, 0) || !piece(bufferSize, 0) {
		t.Error("of a body of unknown length, a block is for what has turned out to be large")
	}
	w.close()
	if used := server.blocksUsed.Load(); used != 0 {
		t.Errorf("%d are in use at the end", used)
	}
}
