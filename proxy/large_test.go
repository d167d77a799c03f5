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

// source is an endpoint that answers requests with a large body.
type source struct {
	data    []byte
	sent    int    // octets of it that it sends before it hangs up; all and it stays, unless the framing is the connection's end
	piece   int    // octets of a write
	framing string // "length", "chunked" or "close"
}

// start starts it.
func (o source) start(t *testing.T) (address string) { return newOrigin(t, o.serve).address }

func (o source) serve(v *visit) {
	head, frame, end := "\r\n", func(data []byte) string { return string(data) }, ""
	switch o.framing {
	case "length":
		head = fmt.Sprintf("Content-Length: %d\r\n\r\n", len(o.data))
	case "chunked":
		head, end = "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"
		frame = func(data []byte) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }
	}
	v.answer("HTTP/1.1 200 OK\r\n" + head)
	for at := 0; at < o.sent && !v.ended; at += o.piece {
		v.write(frame(o.data[at:min(at+o.piece, o.sent)]))
	}
	if o.sent < len(o.data) || o.framing == "close" {
		v.hangUp()
		return
	}
	v.write(end)
}

// A large body arrives as it was sent, in blocks, and the connection goes on to serve.
func TestLargeBodies(t *testing.T) {
	data := noise(large)
	for _, framing := range []string{"length", "chunked", "close"} {
		for _, piece := range []int{large, 100_000, 7_001} {
			r := start(t, plain(source{data, large, piece, framing}.start(t)))
			c := r.dial()
			for range 3 {
				c.send(get("/"))
				if piece == large { // all is there at once, and more than the system holds of what nobody reads
					await(t, "a block to be in use", func() bool { return r.server.blocksUsed.Load() == 1 })
				}
				if got := c.receive(); got.status() != 200 || !bytes.Equal([]byte(got.body), data) {
					t.Errorf("%s, in pieces of %d: %q with %d octets, not the %d that were sent", framing, piece, got.line, len(got.body), len(data))
				}
			}
			await(t, "the last block to be given back", func() bool { return r.server.blocksUsed.Load() == 0 })
		}
	}
}

// A large body that is cut short stays visibly so, and what there was of it arrives.
func TestALargeBodyCutShort(t *testing.T) {
	data := noise(large)
	for _, framing := range []string{"length", "chunked"} {
		r := start(t, plain(source{data, large * 2 / 3, 50_000, framing}.start(t)))
		m, err := readResponse(r.dial().send(get("/")).reader, "GET")
		if err == nil && m.whole {
			t.Fatalf("%s: passed for whole", framing)
		}
		if !bytes.HasPrefix(data, []byte(m.body)) || len(m.body) < large/2 {
			t.Errorf("%s: %d octets, or others than were sent", framing, len(m.body))
		}
		await(t, "the block to be given back", func() bool { return r.server.blocksUsed.Load() == 0 })
	}
}

// Who finds no block is served all the same.
func TestLargeBodiesWithoutBlocks(t *testing.T) {
	data := noise(large)
	r := start(t, plain(source{data, large, 100_000, "length"}.start(t)))
	r.server.blocksUsed.Store(blocksMost)
	if got := r.dial().send(get("/")).receive(); !bytes.Equal([]byte(got.body), data) {
		t.Errorf("%d octets, or others than were sent", len(got.body))
	}
	await(t, "nobody to have taken one", func() bool { return r.server.blocksUsed.Load() == blocksMost })
}

// Whoever does not read at all is cut when the write limit is over, and gives back what he held.
func TestLargeBodiesOfSlowClients(t *testing.T) {
	s := plain(source{noise(large), large, large, "length"}.start(t))
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
	await(t, "some to hold blocks", func() bool { return r.server.blocksUsed.Load() > 0 })
	await(t, "the write limit to end them", func() bool { return r.server.conns.len() == 0 && r.server.blocksUsed.Load() == 0 })
}

// A large body is carried in a block as long as it is fast, and whoever turns slow gives his back.
func TestBlocksAreForTheFast(t *testing.T) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	server := start(t, plain(source{}.start(t))).server
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
		{blockSize, 100 * time.Millisecond, true},
		{100, 0, true},
		{blockSize, 120 * time.Millisecond, false},
		{bufferSize, 40 * time.Millisecond, false}, // a quarter of the time for a quarter of the octets is no faster
		{bufferSize / 4, 0, false},
		{bufferSize, 20 * time.Millisecond, true},
		{100, time.Millisecond, false}, // events, one after the other
		{100, time.Millisecond, false},
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
