package upstream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/proxy/http1"
)

func TestUploads(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 100_000)
	trailers := func() http1.Fields {
		return http1.Fields{{Name: []byte("X-T"), Value: []byte("v")}, {Name: []byte("Host"), Value: []byte("evil")}}
	}
	for name, c := range map[string]struct {
		request *http1.Request
		body    string
		length  int64
		trailer bool
	}{
		"at hand":                {post(5, strings.NewReader("hello")), "hello", 5, false},
		"at hand, more":          {post(5, strings.NewReader("hello world")), "hello", 5, false},
		"at hand, large":         {post(int64(len(large)), strings.NewReader(large)), large, int64(len(large)), false},
		"length":                 {post(5, onlyReader{strings.NewReader("hello")}), "hello", 5, false},
		"length, octets":         {post(5, iotest.OneByteReader(strings.NewReader("hello"))), "hello", 5, false},
		"length, end with data":  {post(5, iotest.DataErrReader(strings.NewReader("hello"))), "hello", 5, false},
		"length, large":          {post(int64(len(large)), onlyReader{strings.NewReader(large)}), large, int64(len(large)), false},
		"chunked":                {post(-1, strings.NewReader(large)), large, -1, false},
		"chunked, end with data": {post(-1, iotest.DataErrReader(strings.NewReader("hello"))), "hello", -1, false},
		"chunked, large, end":    {post(-1, iotest.DataErrReader(strings.NewReader(large))), large, -1, false},
		"chunked, empty":         {post(-1, strings.NewReader("")), "", -1, false},
		"none":                   {post(0, nil), "", 0, false},
		"trailers":               {post(-1, strings.NewReader("hello")), "hello", -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.trailer {
				c.request.Trailers = trailers
			}
			got := make(chan *seen, 1)
			s := serve(t, func(p *peer) {
				for r := p.request(); r != nil; r = p.request() {
					got <- r
					p.send(okText)
				}
			})
			e := s.endpoint(nil)
			if body := mustFetch(t, e, c.request); body != "ok" {
				t.Errorf("%q", body)
			}
			r := within(t, got)
			if r.line != "POST /" || r.body != c.body || r.length != c.length || r.err != nil {
				t.Errorf("%s, %d octets, length %d, %v", r.line, len(r.body), r.length, r.err)
			}
			if c.trailer {
				if diff := cmp.Diff(map[string][]string{"X-T": {"v"}}, map[string][]string(r.trailer)); diff != "" {
					t.Error(diff)
				}
			}
			mustFetch(t, e, get())
			wantConnections(t, e, 1, 1)
			if n := s.accepted.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestAFailedBodyIsNeverCompleted lets the body fail at every octet, in every way.
func TestAFailedBodyIsNeverCompleted(t *testing.T) {
	cause := errors.New("the client has left")
	const text = "hello world"
	for name, c := range map[string]struct {
		length int64
		end    error
		want   error
	}{
		"length, early end": {20, io.EOF, io.ErrUnexpectedEOF},
		"length, error":     {20, cause, cause},
		"chunked, error":    {-1, cause, cause},
		"chunked, cut":      {-1, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
	} {
		for at := range len(text) + 1 {
			got := make(chan string, 1)
			s := serve(t, func(p *peer) {
				p.head()
				got <- p.rest()
			})
			e := s.endpoint(nil)
			body := io.MultiReader(strings.NewReader(text[:at]), iotest.ErrReader(c.end))
			_, _, err := fetch(e, post(c.length, body), Exchange{})
			wantKind(t, err, KindRequestBody)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if sent := within(t, got); strings.Contains(sent, "0\r\n\r\n") || c.length > 0 && sent != text[:at] {
				t.Errorf("%s at %d: the endpoint has seen %q", name, at, sent)
			}
			wantConnections(t, e, 0, 0)
		}
	}
}

// dataAndError returns its text together with an error.
type dataAndError struct{ err error }

func (d dataAndError) Read(p []byte) (int, error) { return copy(p, "0\r\n\r\n"), d.err }

func TestDataThatComesWithAnErrorIsNotSent(t *testing.T) {
	got := make(chan string, 1)
	s := serve(t, func(p *peer) {
		p.head()
		got <- p.rest()
	})
	e := s.endpoint(nil)
	_, _, err := fetch(e, post(-1, dataAndError{errors.New("bare LF")}), Exchange{})
	wantKind(t, err, KindRequestBody)
	if sent := within(t, got); sent != "" {
		t.Errorf("%q", sent)
	}
}

type panickingBody struct{}

func (panickingBody) Read([]byte) (int, error) { panic("mine") }

// endlessSilence is a body that never gives anything, not even an error.
type endlessSilence struct{}

func (endlessSilence) Read([]byte) (int, error) { return 0, nil }

// boastfulBody claims more than there is room for.
type boastfulBody struct{}

func (boastfulBody) Read(p []byte) (int, error) { return len(p) + 1, nil }

func TestABrokenBodyCostsOneRequest(t *testing.T) {
	for _, body := range []io.Reader{panickingBody{}, endlessSilence{}, boastfulBody{}} {
		for _, length := range []int64{-1, 10} {
			s := serve(t, func(p *peer) { p.rest() })
			e := s.endpoint(nil)
			_, _, err := fetch(e, post(length, body), Exchange{})
			wantKind(t, err, KindRequestBody)
			wantConnections(t, e, 0, 0)
		}
	}
	// Where the body claims to be at hand it is read by the caller's own goroutine, before anything is written.
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	_, _, err := fetch(e, post(5, liar{}), Exchange{})
	wantKind(t, err, KindRequestBody)
	wantConnections(t, e, 1, 1)
	if body := mustFetch(t, e, get()); body != "ok" {
		t.Error(body)
	}
}

// liar says that it has octets at hand, and has none.
type liar struct{}

func (liar) Len() int                 { return 100 }
func (liar) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnEarlyAnswerToAStalledUploadArrives(t *testing.T) {
	for _, length := range []int64{-1, 100} {
		got := make(chan string, 1)
		s := serve(t, func(p *peer) {
			p.head()
			p.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
			got <- p.rest()
		})
		e := s.endpoint(nil)
		body := newStalledBody("hel", errors.New("canceled"))
		resp, err := e.RoundTrip(post(length, body), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp); resp.Status != 401 || string(b) != "no" || err != nil {
			t.Errorf("%d %q %v", resp.Status, b, err)
		}
		within(t, body.blocked)
		resp.Close()
		within(t, body.release) // CancelRead was called
		if sent := within(t, got); strings.Contains(sent, "0\r\n\r\n") || !strings.Contains(sent, "hel") {
			t.Errorf("the endpoint has seen %q", sent)
		}
		wantConnections(t, e, 0, 0)
	}
}

func TestAnEarlyAnswerDoesNotStopTheUpload(t *testing.T) {
	got := make(chan *seen, 1)
	s := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		size, _ := p.in.ReadString('\n')
		data, _ := p.in.ReadString('\n')
		more, _ := p.in.ReadString('\n')
		p.send("4\r\nlast\r\n0\r\n\r\n")
		got <- &seen{line: size, body: data + more}
		p.rest()
	})
	e := s.endpoint(nil)
	body := newStalledBody("hel", io.EOF)
	resp, err := e.RoundTrip(post(-1, body), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := resp.Next(); string(p) != "first" || err != nil {
		t.Error(p, err)
	}
	body.CancelRead() // here: the client sends its end
	if b, err := io.ReadAll(resp); string(b) != "last" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	resp.Close()
	if r := within(t, got); r.line != "3\r\n" || r.body != "hel\r\n0\r\n" {
		t.Errorf("%+v", r)
	}
	wantConnections(t, e, 1, 1)
}

func TestAnEndpointThatAnswersAndHangsUpIsHeard(t *testing.T) {
	// It reads nothing of the body, so that its kernel resets the connection under the upload.
	s := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
	})
	e := s.endpoint(nil)
	for range 20 {
		resp, err := e.RoundTrip(post(64<<20, zeros{}), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp); resp.Status != 413 || string(b) != "no" || err != nil {
			t.Errorf("%d %q %v", resp.Status, b, err)
		}
		resp.Close()
		wantConnections(t, e, 0, 0)
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// pacedBody gives an octet every step.
type pacedBody struct {
	left int
	step time.Duration
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	<-time.After(b.step)
	b.left--
	p[0] = 'x'
	return 1, nil
}

func TestTheResponseHeaderTimeoutCountsFromTheEndOfTheRequest(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(func(o *Options) { o.Timeouts.ResponseHeader = 200 * time.Millisecond })
	if _, _, err := fetch(e, post(-1, &pacedBody{left: 20, step: 20 * time.Millisecond}), Exchange{}); err != nil {
		t.Error("a slow upload:", err)
	}

	silent := serve(t, func(p *peer) { p.request(); p.rest() })
	e = silent.endpoint(func(o *Options) { o.Timeouts.ResponseHeader = 60 * time.Millisecond })
	start := time.Now()
	_, _, err := fetch(e, post(-1, &pacedBody{left: 10, step: 10 * time.Millisecond}), Exchange{})
	wantKind(t, err, KindTimeout)
	if took := time.Since(start); took < 160*time.Millisecond {
		t.Errorf("after %v", took)
	}
}

func TestASilentResponseIsNotIdleWhileTheUploadMoves(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for line := ""; line != "0\r\n"; {
			line, _ = p.in.ReadString('\n')
		}
		p.send("2\r\nok\r\n0\r\n\r\n")
		p.rest()
	})
	e := s.endpoint(func(o *Options) { o.Timeouts.Idle = 200 * time.Millisecond })
	_, body, err := fetch(e, post(-1, &pacedBody{left: 25, step: 20 * time.Millisecond}), Exchange{})
	if body != "ok" || err != nil {
		t.Errorf("%q, %v", body, err)
	}

	silent := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		p.rest()
	})
	e = silent.endpoint(func(o *Options) { o.Timeouts.Idle = 60 * time.Millisecond })
	_, _, err = fetch(e, post(-1, newStalledBody("hel", errors.New("canceled"))), Exchange{})
	wantKind(t, err, KindTimeout)
}

func TestAnEndpointThatDoesNotReadTimesOut(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	s := serve(t, func(_ *peer) { <-done })
	e := s.endpoint(func(o *Options) { o.Timeouts.Idle = 50 * time.Millisecond })
	for _, length := range []int64{-1, 1 << 40} {
		_, _, err := fetch(e, post(length, zeros{}), Exchange{})
		wantKind(t, err, KindTimeout)
	}
	_, _, err := fetch(e, post(-1, zeros{}), Exchange{Deadline: time.Now().Add(50 * time.Millisecond)})
	wantKind(t, err, KindTimeout)
	wantConnections(t, e, 0, 0)
}

func TestABadAnswerEndsTheUpload(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Kind
	}{"garbage": {"garbage\r\n\r\n", KindFraming}, "close": {"", KindReset}, "half a head": {"HTTP/1.1 200 OK\r\n", KindTruncated}} {
		s := serve(t, func(p *peer) {
			p.head()
			_, _ = io.CopyN(io.Discard, p.in, 3)
			p.send(c.text)
			p.CloseWrite()
			p.rest()
		})
		e := s.endpoint(nil)
		body := newStalledBody("hel", errors.New("canceled"))
		_, _, err := fetch(e, post(100, body), Exchange{})
		if wantKind(t, err, c.want); t.Failed() {
			t.Fatal(name)
		}
		within(t, body.release)
		wantConnections(t, e, 0, 0)
	}
}

func TestABodyThatFailsUnderTheResponseEndsIt(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		p.rest()
	})
	e := s.endpoint(nil)
	body := newStalledBody("hel", errors.New("the client has left"))
	resp, err := e.RoundTrip(post(-1, body), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Next()
	body.CancelRead()
	_, err = resp.Next()
	wantKind(t, err, KindRequestBody)
	resp.Close()
	wantConnections(t, e, 0, 0)
}

func TestAbortEndsAnUpload(t *testing.T) {
	s := serve(t, func(p *peer) { p.rest() })
	e := s.endpoint(nil)
	var abort Abort
	body := newStalledBody("hel", errors.New("canceled"))
	go func() {
		<-body.blocked
		abort.Fire()
	}()
	_, _, err := fetch(e, post(-1, body), Exchange{Abort: &abort})
	wantKind(t, err, KindAborted)
	wantConnections(t, e, 0, 0)
}

func TestContinueIsRelayedBeforeTheBodyIsSent(t *testing.T) {
	s := serve(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 100 Continue\r\n\r\n")
		var b [5]byte
		if _, err := io.ReadFull(p.in, b[:]); err != nil || string(b[:]) != "hello" {
			t.Error(err, b)
		}
		p.send(okText)
		p.rest()
	})
	e := s.endpoint(nil)
	r, w := io.Pipe()
	_, body, err := fetch(e, post(5, r), Exchange{Interim: func(resp *http1.Response) {
		if resp.Status == 100 {
			go func() { _, _ = io.Copy(w, bytes.NewReader([]byte("hello"))) }()
		}
	}})
	if body != "ok" || err != nil {
		t.Error(body, err)
	}
	wantConnections(t, e, 1, 1)
}
