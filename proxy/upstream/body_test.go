package upstream

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/proxy/http1"
)

// readers are the ways to read a body.
func readers() map[string]func(*Response) ([]byte, error) {
	return map[string]func(*Response) ([]byte, error){
		"Read":        func(r *Response) ([]byte, error) { return io.ReadAll(onlyReader{r}) },
		"large Read":  func(r *Response) ([]byte, error) { return byLargeReads(r) },
		"small reads": func(r *Response) ([]byte, error) { return io.ReadAll(&smallReader{r}) },
		"WriteTo": func(r *Response) ([]byte, error) {
			var b bytes.Buffer
			_, err := r.WriteTo(&b)
			return b.Bytes(), err
		},
		"Read without the head": func(r *Response) ([]byte, error) {
			r.DropHead()
			return byLargeReads(r)
		},
		"Next": func(r *Response) ([]byte, error) {
			var b []byte
			for {
				r.Ready()
				p, err := r.Next()
				r.Ready()
				if b = append(b, p...); err == io.EOF {
					return b, nil
				} else if err != nil {
					return b, err
				}
			}
		},
	}
}

type onlyReader struct{ io.Reader }

type smallReader struct{ r io.Reader }

func (s *smallReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(3, len(p))]) }

func byLargeReads(r io.Reader) ([]byte, error) {
	var b []byte
	p := make([]byte, 100<<10)
	for {
		n, err := r.Read(p)
		if b = append(b, p[:n]...); err == io.EOF {
			return b, nil
		} else if err != nil {
			return b, err
		}
	}
}

func TestBodies(t *testing.T) {
	for name, c := range map[string]struct {
		text, body string
		keeps      bool
	}{
		"length":         {okText, "ok", true},
		"empty":          {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true},
		"chunks":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n3\r\n123\r\n0\r\n\r\n", "ok123", true},
		"no chunk":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", true},
		"304":            {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", true},
		"204":            {"HTTP/1.1 204 No Content\r\n\r\n", "", true},
		"no reason":      {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok", true},
		"close and more": {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokmore", "ok", false},
	} {
		for way, read := range readers() {
			s := serve(t, answer(c.text))
			e := s.endpoint(nil)
			for range 2 {
				resp, err := e.RoundTrip(get(), Exchange{})
				if err != nil {
					t.Fatal(name, err)
				}
				if body, err := read(resp); string(body) != c.body || err != nil {
					t.Errorf("%s by %s: %q, %v", name, way, body, err)
				}
				resp.Close()
			}
			if _, idle := e.Connections(); (idle == 1) != c.keeps {
				t.Errorf("%s by %s: %d connections kept", name, way, idle)
			}
		}
	}
}

func TestABodyUntilTheConnectionCloses(t *testing.T) {
	text := strings.Repeat("until-close", 10000)
	for _, head := range []string{"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"} {
		for way, read := range readers() {
			s := serve(t, func(p *peer) {
				p.request()
				p.send(head + text)
			})
			e := s.endpoint(nil)
			resp, err := e.RoundTrip(get(), Exchange{})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := read(resp); string(body) != text || err != nil {
				t.Errorf("by %s: %d octets, %v", way, len(body), err)
			}
			resp.Close()
			wantConnections(t, e, 0, 0)
		}
	}
}

func TestHead(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
	e := s.endpoint(nil)
	for range 2 {
		r := get()
		r.Method = []byte("HEAD")
		resp, err := e.RoundTrip(r, Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp); len(body) != 0 || err != nil || resp.ContentLength != 5 {
			t.Errorf("%q, %v, %d", body, err, resp.ContentLength)
		}
		resp.Close()
		wantConnections(t, e, 1, 1)
	}
}

func TestTrailers(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 200 OK\r\nTrailer: Grpc-Status\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nGrpc-Status: 0\r\nContent-Length: 7\r\n\r\n"))
	e := s.endpoint(nil)
	resp, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	if resp.Trailers() != nil {
		t.Error("trailers before the end")
	}
	if _, err := io.ReadAll(resp); err != nil {
		t.Fatal(err)
	}
	want := http1.Fields{{Name: []byte("Grpc-Status"), Value: []byte("0")}}
	if diff := cmp.Diff(want, resp.Trailers()); diff != "" {
		t.Error(diff)
	}
}

// TestEveryCutIsSeen closes or resets the connection at every single octet of a response.
func TestEveryCutIsSeen(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x\r\n world\r\n0\r\nX-T: v\r\n\r\n",
	} {
		for _, reset := range []bool{false, true} {
			cut := make(chan int, 1)
			s := serve(t, func(p *peer) {
				p.request()
				p.send(text[:<-cut])
				if reset {
					p.reset()
				}
			})
			e := s.endpoint(nil)
			for _, read := range readers() {
				for at := range len(text) {
					cut <- at
					resp, err := e.RoundTrip(get(), Exchange{})
					if err == nil {
						_, err = read(resp)
						resp.Close()
					}
					if kind := kindIn(t, err); kind != KindTruncated && kind != KindReset {
						t.Fatalf("cut at %d of %q: %v", at, text, err)
					}
					wantConnections(t, e, 0, 0)
				}
			}
		}
	}
}

func TestAResetInABodyUntilCloseIsSeen(t *testing.T) {
	read := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.send("HTTP/1.0 200 OK\r\n\r\nhello")
		<-read
		p.reset()
	})
	e := s.endpoint(nil)
	resp, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	for got := 0; got < 5; {
		p, err := resp.Next()
		if err != nil {
			t.Fatal(err)
		}
		got += len(p)
	}
	close(read)
	_, err = resp.Next()
	wantKind(t, err, KindReset)
	if _, again := resp.Next(); again != err {
		t.Error("the error is not final:", again)
	}
	resp.Close()
}

func TestMalformedChunksAreAFramingError(t *testing.T) {
	for _, chunks := range []string{"5\nhello\r\n0\r\n\r\n", "-5\r\nhello", "10000000000000005\r\nhello", "5\r\nhelloX", "0\r\nbad trailer\r\n\r\n"} {
		s := serve(t, func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
			p.rest()
		})
		e := s.endpoint(nil)
		_, _, err := fetch(e, get(), Exchange{})
		wantKind(t, err, KindFraming)
		wantConnections(t, e, 0, 0)
	}
}

func TestASilentBodyTimesOut(t *testing.T) {
	for _, start := range []string{"Content-Length: 100\r\n\r\nhel", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "\r\nhel"} {
		s := serve(t, func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\n" + start)
			p.rest()
		})
		e := s.endpoint(func(o *Options) { o.Timeouts.Idle = 30 * time.Millisecond })
		_, body, err := fetch(e, get(), Exchange{})
		wantKind(t, err, KindTimeout)
		if body != "hel" {
			t.Errorf("%q", body)
		}
	}
}

func TestASlowBodyDoesNotTimeOut(t *testing.T) {
	const pieces = 20
	s := serve(t, func(p *peer) {
		p.request()
		p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", pieces))
		for range pieces {
			<-time.After(25 * time.Millisecond)
			p.send("x")
		}
	})
	e := s.endpoint(func(o *Options) {
		o.Timeouts.ResponseHeader = 250 * time.Millisecond
		o.Timeouts.Idle = 250 * time.Millisecond
	})
	if body := mustFetch(t, e, get()); len(body) != pieces {
		t.Errorf("%q", body)
	}
}

// flushes notes what was there at every flush.
type flushes struct {
	bytes.Buffer
	flushed chan string
}

func (f *flushes) Flush() error {
	f.flushed <- f.String()
	f.Reset()
	return nil
}

func TestWriteToFlushesBeforeItWaits(t *testing.T) {
	next := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5")
		<-next
		p.send("\r\nthree\r\n")
		<-next
		p.send("0\r\n\r\n")
		p.rest()
	})
	e := s.endpoint(nil)
	resp, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	w := &flushes{flushed: make(chan string)}
	done := make(chan error, 1)
	go func() {
		_, err := resp.WriteTo(w)
		done <- err
	}()
	if got := within(t, w.flushed); got != "onetwo" {
		t.Errorf("%q", got)
	}
	next <- struct{}{}
	if got := within(t, w.flushed); got != "three" {
		t.Errorf("%q", got)
	}
	next <- struct{}{}
	if err := within(t, done); err != nil {
		t.Error(err)
	}
	resp.Close()
}

func TestWriteToTellsWhoseErrorItIs(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	resp, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	if _, err := resp.WriteTo(failingWriter{mine}); err != mine {
		t.Error(err)
	}
	resp.Close()
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// TestLargeBodies carries random bodies in random pieces, and looks at the head afterwards.
func TestLargeBodies(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 8 {
		data := make([]byte, random.IntN(2<<20))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		chunked, padding := round%2 == 0, strings.Repeat("p", random.IntN(20000))
		seed := random.Uint64()
		s := serve(t, func(p *peer) {
			for p.request() != nil {
				sendInPieces(p, padding, data, chunked, rand.New(rand.NewPCG(seed, 0)))
			}
		})
		e := s.endpoint(nil)
		for way, read := range readers() {
			if way == "small reads" && len(data) > 1<<20 {
				continue
			}
			resp, err := e.RoundTrip(get(), Exchange{})
			if err != nil {
				t.Fatal(err)
			}
			body, err := read(resp)
			if err != nil || sha256.Sum256(body) != sha256.Sum256(data) {
				t.Errorf("by %s, chunked %v: %d octets of %d, %v", way, chunked, len(body), len(data), err)
			}
			if p, _ := resp.Fields.Get("Padding"); string(p) != padding && !resp.headless {
				t.Errorf("by %s: the head has changed under the body", way)
			}
			resp.Close()
		}
		wantConnections(t, e, 1, 1)
	}
}

func sendInPieces(p *peer, padding string, data []byte, chunked bool, random *rand.Rand) {
	framing := fmt.Sprintf("Content-Length: %d", len(data))
	if chunked {
		framing = "Transfer-Encoding: chunked"
	}
	p.send("HTTP/1.1 200 OK\r\nPadding: " + padding + "\r\n" + framing + "\r\n\r\n")
	for len(data) > 0 {
		n := min(1+random.IntN(1<<random.IntN(18)), len(data))
		if chunked {
			p.send(fmt.Sprintf("%x\r\n%s\r\n", n, data[:n]))
		} else {
			p.send(string(data[:n]))
		}
		data = data[n:]
	}
	if chunked {
		p.send("0\r\n\r\n")
	}
}
