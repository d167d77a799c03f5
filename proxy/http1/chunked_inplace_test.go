package http1

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// byReadInPlace reads a body as upstream does, and writes over the memory that it was read in after each read.
func byReadInPlace(c *ChunkedReader) ([]byte, error) {
	home := c.src.mem
	p := make([]byte, minPlace)
	var body []byte
	for {
		var n int
		var err error
		if c.FitsInPlace(p) {
			n, err = c.ReadInPlace(p)
			c.src.Move(home)
		}
		if n == 0 && err == nil {
			n, err = c.Read(p)
		}
		if body = append(body, p[:n]...); err != nil {
			return body, again(c, err)
		}
		for i := range p {
			p[i] = 'x'
		}
		c.Ready()
	}
}

// Whatever the chunks are and however they arrive, reading in place gives what they were made of, and touches nothing behind it.
func TestReadInPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var in, want bytes.Buffer
		for range random.IntN(40) {
			data := make([]byte, 1+random.IntN(1<<random.IntN(13)))
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			want.Write(data)
			fmt.Fprintf(&in, "%x%s\r\n%s\r\n", len(data), []string{"", ";a=b", " ;" + string(bytes.Repeat([]byte("x"), 200))}[random.IntN(3)], data)
		}
		in.WriteString("0\r\nX-T: v\r\n\r\nbehind")
		src := pieces{&in, random, 1 + random.IntN(5000)}
		body, trailers, rest, err := decode(src, 8<<10, byReadInPlace)
		if err != io.EOF || !bytes.Equal(body, want.Bytes()) {
			t.Fatalf("%d octets of %d, %v", len(body), want.Len(), err)
		}
		if diff := cmp.Diff([]string{"X-T=v"}, trailers); diff != "" || rest+in.Len() != len("behind") {
			t.Fatalf("%d octets behind the end, trailers %s", rest+in.Len(), diff)
		}
	}
}

// pieces is a source that gives pieces of random size.
type pieces struct {
	from   *bytes.Buffer
	random *rand.Rand
	most   int
}

func (p pieces) Read(to []byte) (int, error) {
	return p.from.Read(to[:min(len(to), 1+p.random.IntN(p.most))])
}

// It waits for nothing once it has something.
func TestReadInPlaceDoesNotWaitForMore(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	var b Buffer
	b.Reset(r, make([]byte, 4096))
	var c ChunkedReader
	c.Reset(&b)
	p, home := make([]byte, 2048), make([]byte, 4096)
	for _, step := range []struct{ in, want string }{
		{"3\r\none\r\n3\r\ntwo\r\n5;e", "onetwo"}, {"xt\r\nthr", "thr"}, {"ee\r", "ee"}, {"\n1\r\n!\r\n0\r\nA: b", "!"},
	} {
		go w.Write([]byte(step.in))
		if !c.FitsInPlace(p) {
			t.Fatal("no room")
		}
		n, err := c.ReadInPlace(p)
		if string(p[:n]) != step.want || err != nil {
			t.Fatalf("%q, %v, want %q", p[:n], err, step.want)
		}
		b.Move(home)
	}
	if c.FitsInPlace(p) {
		t.Error("the trailers must not be read in place")
	}
	go w.Write([]byte("\r\n\r\n"))
	if n, err := c.Read(p); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"A=b"}, lines(c.Trailers())); diff != "" {
		t.Error(diff)
	}
}
