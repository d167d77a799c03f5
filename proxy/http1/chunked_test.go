package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// decode reads a whole chunked body, and returns what came behind it as well.
func decode(src io.Reader, room int, read func(*ChunkedReader) ([]byte, error)) (body []byte, trailers []string, rest int, err error) {
	var b Buffer
	b.Reset(src, make([]byte, room))
	var c ChunkedReader
	c.Reset(&b)
	body, err = read(&c)
	return body, lines(c.Trailers()), b.Len(), err
}

func byNext(c *ChunkedReader) ([]byte, error) {
	var body []byte
	for {
		piece, err := c.Next()
		if body = append(body, piece...); err != nil {
			return body, again(c, err)
		}
		if len(piece) == 0 {
			return body, errors.New("an empty piece without an error")
		}
	}
}

func byNextAndReady(c *ChunkedReader) ([]byte, error) {
	var body []byte
	for {
		c.Ready()
		piece, err := c.Next()
		copied := append([]byte(nil), piece...)
		if c.Ready(); !bytes.Equal(copied, piece) {
			return body, errors.New("Ready has changed what Next returned")
		}
		if body = append(body, piece...); err != nil {
			return body, again(c, err)
		}
	}
}

func byRead(size int) func(c *ChunkedReader) ([]byte, error) {
	return func(c *ChunkedReader) ([]byte, error) {
		var body []byte
		p := make([]byte, size)
		for {
			n, err := c.Read(p)
			if body = append(body, p[:n]...); err != nil {
				return body, again(c, err)
			}
		}
	}
}

// again checks that an error is final.
func again(c *ChunkedReader, err error) error {
	if _, next := c.Next(); next != err {
		return fmt.Errorf("first %w, then %w", err, next)
	}
	if n, next := c.Read(make([]byte, 8192)); n != 0 || next != err {
		return fmt.Errorf("first %w, then %w by Read", err, next)
	}
	return err
}

func TestChunkedReaderReads(t *testing.T) {
	for _, c := range []struct{ name, in, body string }{
		{"empty", "0\r\n\r\n", ""},
		{"two chunks", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"},
		{"digits", "0000A\r\n0123456789\r\n000\r\n\r\n", "0123456789"},
		{"extensions", "5;a=b;c=\"d;\xff\"\r\nhello\r\n5 \t; x\r\nworld\r\n0;last\r\n\r\n", "helloworld"},
	} {
		body, _, rest, err := decode(strings.NewReader(c.in+"GET"), 4096, byNext)
		if string(body) != c.body || err != io.EOF || rest != 3 {
			t.Errorf("%s: %q, %d octets left, %v", c.name, body, rest, err)
		}
	}
}

func TestChunkedReaderRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"0x":                  "0x5\r\nhello\r\n0\r\n\r\n",
		"plus":                "+5\r\nhello\r\n0\r\n\r\n",
		"minus":               "-5\r\nhello\r\n0\r\n\r\n",
		"letter":              "5g\r\nhello\r\n0\r\n\r\n",
		"no size":             "\r\nhello\r\n0\r\n\r\n",
		"space before":        " 5\r\nhello\r\n0\r\n\r\n",
		"space behind":        "5 \r\nhello\r\n0\r\n\r\n",
		"wrap":                "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"minus one":           "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"sixteen digits":      "0000000000000005\r\nhello\r\n0\r\n\r\n",
		"LF after size":       "5\nhello\r\n0\r\n\r\n",
		"CR after size":       "5\rhello\r\n0\r\n\r\n",
		"LF in extension":     "5;a\nhello\r\n0\r\n\r\n",
		"CR in extension":     "5;a\rb\r\nhello\r\n0\r\n\r\n",
		"NUL in extension":    "5;a\x00\r\nhello\r\n0\r\n\r\n",
		"data not closed":     "5\r\nhelloXX0\r\n\r\n",
		"data closed by LF":   "5\r\nhello\n0\r\n\r\n",
		"data closed by CR":   "5\r\nhello\r0\r\n\r\n",
		"last chunk, LF":      "0\n\r\n",
		"end by LF":           "0\r\n\n",
		"trailer, no colon":   "0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
		"trailer, LF":         "0\r\nX-T: a\n\r\n",
		"trailer, fold":       "0\r\nX-T: a\r\n b\r\n\r\n",
		"trailer, NUL":        "0\r\nX-T: a\x00\r\n\r\n",
		"long extension":      "5;" + strings.Repeat("x", 2000) + "\r\nhello\r\n0\r\n\r\n",
		"endless extension":   "5;" + strings.Repeat("x", 20000),
		"extensions in sum":   strings.Repeat("1;"+strings.Repeat("x", 500)+"\r\ny\r\n", 40) + "0\r\n\r\n",
		"many trailers":       "0\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\n",
		"large trailer":       "0\r\nX: " + strings.Repeat("y", 40000) + "\r\n\r\n",
		"endless trailer":     "0\r\nX: " + strings.Repeat("y", 40000),
		"large trailers":      "0\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 40) + "\r\n",
		"another HTTP answer": "HTTP/1.1 200 OK\r\n\r\n",
	} {
		for _, room := range []int{8 << 10, 64 << 10} {
			for i, read := range []func(*ChunkedReader) ([]byte, error){byNext, byReadInPlace} {
				if _, _, _, err := decode(strings.NewReader(in), room, read); statusOf(t, err) == 0 {
					t.Errorf("%s, buffer of %d, way %d: %v", name, room, i, err)
				}
			}
		}
	}
}

func TestChunkedReaderNeverTakesAnEarlyEndForTheEnd(t *testing.T) {
	whole := "5\r\nhello\r\n10;ext=1\r\n0123456789abcdef\r\n0\r\nX-T: v\r\nY: z\r\n\r\n"
	for _, read := range []func(*ChunkedReader) ([]byte, error){byNext, byNextAndReady, byRead(3), byRead(8192), byReadInPlace} {
		for cut := range len(whole) {
			if _, _, _, err := decode(strings.NewReader(whole[:cut]), 4096, read); err != io.ErrUnexpectedEOF {
				t.Fatalf("cut at %d: %v", cut, err)
			}
		}
		body, trailers, _, err := decode(iotest.OneByteReader(strings.NewReader(whole)), 4096, read)
		if err != io.EOF || string(body) != "hello0123456789abcdef" {
			t.Fatalf("%q, %v", body, err)
		}
		if diff := cmp.Diff([]string{"X-T=v", "Y=z"}, trailers); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestChunkedReaderPassesErrorsOn(t *testing.T) {
	cause := errors.New("cause")
	src := io.MultiReader(strings.NewReader("5\r\nhel"), iotest.ErrReader(cause))
	body, _, _, err := decode(src, 4096, byNext)
	if string(body) != "hel" || err != cause {
		t.Errorf("%q, %v", body, err)
	}
}

func TestChunkedReaderDropsForbiddenTrailers(t *testing.T) {
	in := "0\r\nContent-Length: 9\r\nGrpc-Status: 0\r\nHost: evil\r\ntransfer-encoding: x\r\nX-Forwarded-For: 1\r\nSet-Cookie: a\r\nX-T: v\r\n\r\n"
	_, trailers, _, err := decode(strings.NewReader(in), 4096, byNext)
	if err != io.EOF {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Grpc-Status=0", "X-T=v"}, trailers); diff != "" {
		t.Error(diff)
	}
}

func TestChunkedReaderReadyDoesNotWait(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	var b Buffer
	b.Reset(r, make([]byte, 4096))
	var c ChunkedReader
	c.Reset(&b)
	send := func(s string) {
		go w.Write([]byte(s))
	}
	if c.Ready() {
		t.Error("ready before anything came")
	}
	send("5\r\nhello\r\n5;x")
	if p, err := c.Next(); string(p) != "hello" || err != nil || c.Ready() || string(p) != "hello" {
		t.Errorf("%q, %v", p, err)
	}
	send("\r\nworld\r\n0\r\nA: ")
	if p, err := c.Next(); string(p) != "world" || err != nil || c.Ready() {
		t.Errorf("%q, %v", p, err)
	}
	send("b\r\n\r\n")
	if _, err := c.Next(); err != io.EOF || !c.Ready() {
		t.Error(err)
	}
}

func TestChunkedWriterIsReadBack(t *testing.T) {
	var out bytes.Buffer
	var w ChunkedWriter
	w.Reset(&out)
	var want []byte
	for i := range 70 {
		p := bytes.Repeat([]byte{byte(i)}, i*i)
		want = append(want, p...)
		if n, err := w.Write(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		if i > 0 {
			frame := append(make([]byte, ChunkHeadroom), p...)
			frame = FrameChunk(append(frame, 0, 0), len(p))
			out.Write(frame)
			want = append(want, p...)
		}
	}
	if err := w.Close(fields("X-T: v", "Content-Length: 4", "Host: evil")); err != nil {
		t.Fatal(err)
	}
	body, trailers, rest, err := decode(&out, 8192, byNext)
	if !bytes.Equal(body, want) || err != io.EOF || rest != 0 {
		t.Errorf("%d octets of %d, %d left, %v", len(body), len(want), rest, err)
	}
	if diff := cmp.Diff([]string{"X-T=v"}, trailers); diff != "" {
		t.Error(diff)
	}
}

func FuzzChunked(f *testing.F) {
	for _, seed := range []string{
		"5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX-T: v1\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\nGET", "5\nhello\r\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"5\r\nhelloXX0\r\n\r\n", "5 ; a\r\nhello\r\n0\r\n\r\n", "0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n", "-5\r\nhello\r\n", "5\r\nhel",
	} {
		f.Add([]byte(seed))
	}
	dumb := dumbField()
	f.Fuzz(func(t *testing.T, in []byte) {
		body, trailers, rest, err := decode(bytes.NewReader(in), 4096, byNext)
		for i, read := range []func(*ChunkedReader) ([]byte, error){byNextAndReady, byRead(1), byRead(8192), byReadInPlace} {
			for j, src := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in)), iotest.DataErrReader(bytes.NewReader(in))} {
				otherBody, otherTrailers, _, otherErr := decode(src, 4096, read)
				if !bytes.Equal(body, otherBody) || (err == io.EOF) != (otherErr == io.EOF) || !cmp.Equal(trailers, otherTrailers) {
					t.Fatalf("way %d,%d: %q %v, first %q %v", i, j, otherBody, otherErr, body, err)
				}
			}
		}
		if len(in) > 1000 { // below it no bound of size plays a part
			return
		}
		want, wantTrailers, left, ok := dumbChunked(dumb, string(in))
		if ok != (err == io.EOF) || ok && (want != string(body) || left != rest || !cmp.Equal(wantTrailers, trailers)) {
			t.Fatalf("%q: %q %q %v; the dumb reader: %q %q %v", in, body, trailers, err, want, wantTrailers, ok)
		}
		other, otherErr := io.ReadAll(httputil.NewChunkedReader(bufio.NewReader(bytes.NewReader(in))))
		if err == io.EOF && otherErr == nil && !bytes.Equal(body, other) {
			t.Fatalf("%q: %q, net/http reads %q", in, body, other)
		}
	})
}

// dumbChunked is the grammar of RFC 9112 section 7.1 on a whole text.
func dumbChunked(field *regexp.Regexp, in string) (body string, trailers []string, left int, ok bool) {
	size := regexp.MustCompile("^([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\\x80-\\xff]*)?$")
	for {
		line, rest, found := strings.Cut(in, "\r\n")
		m := size.FindStringSubmatch(latin1(line))
		if !found || m == nil {
			return
		}
		n, _ := strconv.ParseInt(m[1], 16, 64)
		if n == 0 {
			in = rest
			break
		}
		if int64(len(rest)) < n+2 || rest[n:n+2] != "\r\n" {
			return
		}
		body, in = body+rest[:n], rest[n+2:]
	}
	for count := 0; ; count++ {
		line, rest, found := strings.Cut(in, "\r\n")
		if !found {
			return
		}
		if line == "" {
			return body, trailers, len(rest), true
		}
		m := field.FindStringSubmatch(latin1(line))
		if m == nil || count == maxTrailers {
			return
		}
		if name := bytesOf(m[1]); !ForbiddenTrailer([]byte(name)) {
			trailers = append(trailers, name+"="+bytesOf(m[2]))
		}
		in = rest
	}
}
