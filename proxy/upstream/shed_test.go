package upstream

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLargeBodiesWithoutTheirHead reads bodies whose head was dropped, with the two ways of reading mixed.
func TestLargeBodiesWithoutTheirHead(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 60 {
		data := make([]byte, random.IntN(1<<random.IntN(20)))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		framing, text := fmt.Sprintf("Content-Length: %d\r\n", len(data)), string(data)
		switch round % 3 {
		case 1:
			framing = ""
		case 2:
			framing, text = "Transfer-Encoding: chunked\r\n", chunked(text, random)
		}
		s := serve(t, func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\n" + framing + "\r\n" + text)
		})
		e := s.endpoint(nil)
		resp, err := e.RoundTrip(get(), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		resp.DropHead()
		got, err := byMixedReads(resp, random)
		if err != io.EOF || sha256.Sum256(got) != sha256.Sum256(data) {
			t.Errorf("%q: %d octets of %d, %v", framing, len(got), len(data), err)
		}
		other := e.memory.takeSmall() // what the body has given back is used by others
		clear(other.octets[:])
		e.memory.giveSmall(other)
		if v, _ := resp.Trailers().Get("X-T"); round%3 == 2 && string(v) != strings.Repeat("v", 3000) {
			t.Errorf("the trailer is %.20q", v)
		}
		resp.Close()
	}
}

// byMixedReads reads to the end in both ways, and writes over what it gave as soon as it is its own again.
func byMixedReads(r *Response, random *rand.Rand) (got []byte, err error) {
	nexts := random.IntN(4)
	for err == nil {
		var piece []byte
		if random.IntN(4) < nexts {
			piece, err = r.Next()
			got = append(got, piece...)
		} else {
			piece = make([]byte, 1+random.IntN(LargePiece))
			var n int
			n, err = r.Read(piece)
			got = append(got, piece[:n]...)
			clear(piece)
		}
		if random.IntN(2) == 0 {
			r.Ready()
		}
	}
	return got, err
}

// chunked is the text in chunks of random sizes, with a trailer.
func chunked(text string, random *rand.Rand) string {
	var b strings.Builder
	most := 1 << random.IntN(18)
	for len(text) > 0 {
		n := min(1+random.IntN(most), len(text))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, text[:n])
		text = text[n:]
	}
	return b.String() + "0\r\nX-T: " + strings.Repeat("v", 3000) + "\r\n\r\n"
}

// TestALargeBodyHoldsNoBlock stops between two reads of large bodies, as a slow reader does.
func TestALargeBodyHoldsNoBlock(t *testing.T) {
	const size = 1 << 20
	piece := func(n int) string { return fmt.Sprintf("%x\r\n%s\r\n", n, strings.Repeat("x", n)) }
	for name, text := range map[string]string{
		"length":       fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)),
		"until close":  "\r\n" + strings.Repeat("x", size),
		"one chunk":    "Transfer-Encoding: chunked\r\n\r\n" + piece(size),
		"large chunks": "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(piece(64<<10), 16),
		"small chunks": "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat(piece(2<<10), 512),
	} {
		e := serve(t, func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\n" + text)
		}).endpoint(nil)
		resp, err := e.RoundTrip(get(), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		resp.DropHead()
		p, reads, held := make([]byte, LargePiece), 0, 0
		for total := 0; total < size; {
			n, err := resp.Read(p)
			if err != nil {
				t.Fatalf("%s: %v after %d octets", name, err, total)
			}
			resp.Ready()
			if total += n; total > 4*largeBody && total < size-largeBody {
				reads++
				if resp.conn.head != nil || resp.conn.rest != nil {
					held++
				}
			}
		}
		// A chunk-size line that has come in part needs a place.
		if held > reads/5 {
			t.Errorf("%s: a block is held after %d of %d reads", name, held, reads)
		}
		resp.Close()
	}
}

// What a read has brought behind the end of a body is not forgotten, however much it is: a connection on which something came that
// nobody has asked for would be used again.
func TestWhatComesBehindALargeBody(t *testing.T) {
	e := serve(t, func(*peer) {}).endpoint(nil)
	for _, size := range []int{1, smallSize, smallSize + 1, LargePiece} {
		c := &conn{endpoint: e}
		came := []byte(strings.Repeat("0123456789abcdef", LargePiece/16)[:size])
		c.buf.Reset(nil, bytes.Clone(came))
		c.buf.Filled(size)
		c.house()
		if !bytes.Equal(c.buf.Bytes(), came) {
			t.Errorf("%d octets are left of %d, or others", c.buf.Len(), size)
		}
		if c.buf.Room() < size+minBodyRoom && size > smallSize {
			t.Errorf("%d octets have no room to be read on behind them", size)
		}
		c.giveBlocks()
	}
}
