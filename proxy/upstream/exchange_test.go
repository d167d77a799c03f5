package upstream

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"haldane/proxy/http1"
)

func TestFailuresBeforeTheResponse(t *testing.T) {
	sends := func(text string) func(*peer) {
		return func(p *peer) {
			p.request()
			p.send(text)
			p.rest()
		}
	}
	short := func(o *Options) { o.Timeouts.ResponseHeader = 30 * time.Millisecond }
	for name, c := range map[string]struct {
		script  func(*peer)
		options func(*Options)
		want    Kind
	}{
		"closed at once":        {func(_ *peer) {}, nil, KindReset},
		"closed without answer": {func(p *peer) { p.request() }, nil, KindReset},
		"reset":                 {func(p *peer) { p.request(); p.reset() }, nil, KindReset},
		"half a status line":    {func(p *peer) { p.request(); p.send("HTTP/1.1 20") }, nil, KindTruncated},
		"half a head":           {func(p *peer) { p.request(); p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n") }, nil, KindTruncated},
		"closed after a 100":    {func(p *peer) { p.request(); p.send("HTTP/1.1 100 Continue\r\n\r\n") }, nil, KindReset},
		"silent":                {func(p *peer) { p.rest() }, short, KindTimeout},
		"silent after a 100":    {sends("HTTP/1.1 100 Continue\r\n\r\n"), short, KindTimeout},
		"half a head, silent":   {sends("HTTP/1.1 200 OK\r\nConte"), short, KindTimeout},
		"another protocol":      {sends("\x15\x03\x01\x00\x02\x02F"), nil, KindFraming},
		"garbage":               {sends("ICY 200 OK\r\n\r\n"), nil, KindFraming},
		"LF only":               {sends("HTTP/1.1 200 OK\nX: y\n\n"), nil, KindFraming},
		"conflicting lengths":   {sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello"), nil, KindFraming},
		"coding and length":     {sends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), nil, KindFraming},
		"unasked 101":           {sends("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), nil, KindFraming},
		"1 MiB of fields":       {sends("HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("y", 1<<20) + "\r\nContent-Length: 2\r\n\r\nok"), nil, KindFraming},
		"endless status line":   {sends("HTTP/1.1 200 " + strings.Repeat("y", 1<<20)), nil, KindFraming},
		"many fields":           {sends("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000) + "\r\n"), nil, KindFraming},
		"just above the limit":  {sends("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 977) + "\r\n\r\n"), func(o *Options) { o.HeaderSize = 1000 }, KindFraming},
		"10000 interim":         {sends(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 10000) + okText), nil, KindFraming},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.script)
			e := s.endpoint(c.options)
			_, _, err := fetch(e, get(), Exchange{})
			wantKind(t, err, c.want)
			var failure *Error
			if errors.As(err, &failure) && failure.Stale {
				t.Error("a fresh connection is called stale")
			}
			wantConnections(t, e, 0, 0)
		})
	}
}

func TestAHeadMayBeAsLargeAsTheLimit(t *testing.T) {
	for _, size := range []int{500, 8 << 10, smallSize - 1, smallSize, smallSize + 1, 20 << 10, 40 << 10, 64 << 10} {
		start, end := "HTTP/1.1 200 OK\r\nX: ", "\r\nContent-Length: 5\r\n\r\n"
		value := strings.Repeat("y", size-len(start)-len(end))
		s := serve(t, answer(start+value+end+"hello"))
		e := s.endpoint(func(o *Options) { o.HeaderSize = size })
		for range 2 {
			resp, err := e.RoundTrip(get(), Exchange{})
			if err != nil {
				t.Fatalf("%d: %v", size, err)
			}
			body, err := io.ReadAll(resp)
			if x, _ := resp.Fields.Get("x"); string(x) != value || string(body) != "hello" || err != nil {
				t.Errorf("%d: %q, %v, and %d octets of the field", size, body, err, len(x))
			}
			resp.Close()
		}
		wantConnections(t, e, 1, 1)
	}
}

func TestNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	e := NewEndpoint(Options{Address: listener.Addr().String()})
	body := strings.NewReader("hello")
	_, _, err = fetch(e, post(5, body), Exchange{})
	wantKind(t, err, KindConnect)
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Error(err)
	}
	if body.Len() != 5 {
		t.Error("the body was touched")
	}
	wantConnections(t, e, 0, 0)
	_, _, err = fetch(e, get(), Exchange{Deadline: time.Now().Add(-time.Second)})
	wantKind(t, err, KindTimeout)
}

// deafAddress is an address that answers no connection attempt, because its queue is full.
func deafAddress(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	t.Cleanup(func() { file.Close() })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	for range 8 { // the queue is full once an attempt gets no answer
		c, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("this system accepts connections beyond the queue")
	return ""
}

func TestConnectingTakesTooLong(t *testing.T) {
	address := deafAddress(t)
	e := NewEndpoint(Options{Address: address, Timeouts: Timeouts{Connect: 30 * time.Millisecond}})
	_, _, err := fetch(e, get(), Exchange{})
	wantKind(t, err, KindConnect)

	e = NewEndpoint(Options{Address: address})
	_, _, err = fetch(e, get(), Exchange{Deadline: time.Now().Add(30 * time.Millisecond)})
	wantKind(t, err, KindTimeout)

	var abort Abort
	failed := make(chan error)
	go func() {
		_, _, err := fetch(e, get(), Exchange{Abort: &abort})
		failed <- err
	}()
	abort.Fire()
	wantKind(t, within(t, failed), KindAborted)
	wantConnections(t, e, 0, 0)
}

func TestWantOfOwnResourcesIsNotTheEndpointsFault(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
		if kind := dialKind(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)}); kind != KindFull {
			t.Errorf("%v: %v", errno, kind)
		}
	}
}

func TestAConnectionClosedAsTheRequestArrivesIsStale(t *testing.T) {
	for name, end := range map[string]func(*peer){"closed": func(*peer) {}, "reset": func(p *peer) { p.reset() }} {
		s := serve(t, func(p *peer) {
			p.request()
			p.send(okText)
			p.head()
			end(p)
		})
		e := s.endpoint(nil)
		mustFetch(t, e, get())
		_, _, err := fetch(e, get(), Exchange{})
		wantKind(t, err, KindReset)
		var failure *Error
		if !errors.As(err, &failure) || !failure.Stale {
			t.Errorf("%s: %v is not called stale", name, err)
		}
		if n := s.accepted.Load(); n != 1 {
			t.Errorf("%s: the request was repeated", name)
		}
	}
	// Once something has been answered, it is not staleness.
	s := serve(t, func(p *peer) {
		p.request()
		p.send(okText)
		p.request()
		p.send("HTTP/1.1 2")
	})
	e := s.endpoint(nil)
	mustFetch(t, e, get())
	_, _, err := fetch(e, get(), Exchange{})
	var failure *Error
	if !errors.As(err, &failure) || failure.Stale || failure.Kind != KindTruncated {
		t.Error(err)
	}
}

func TestInterimResponses(t *testing.T) {
	const interims = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
	s := serve(t, answer(interims+okText))
	e := s.endpoint(nil)
	var got []string
	status, body, err := fetch(e, get(), Exchange{Interim: func(r *http1.Response) {
		link, _ := r.Fields.Get("Link")
		got = append(got, string(r.Reason)+string(link))
	}})
	if status != 200 || body != "ok" || err != nil {
		t.Error(status, body, err)
	}
	if diff := cmp.Diff([]string{"Continue", "Early Hints</a>", "Processing"}, got); diff != "" {
		t.Error(diff)
	}
	if body := mustFetch(t, e, get()); body != "ok" {
		t.Errorf("%q without a listener", body)
	}
	wantConnections(t, e, 1, 1)
}

func TestAnInterimResponseIsRelayedBeforeTheFinalOne(t *testing.T) {
	relayed := make(chan struct{})
	s := serve(t, func(p *peer) {
		p.request()
		p.send("HTTP/1.1 103 Early Hints\r\n\r\n")
		<-relayed
		p.send(okText)
	})
	e := s.endpoint(nil)
	_, body, err := fetch(e, get(), Exchange{Interim: func(*http1.Response) { close(relayed) }})
	if body != "ok" || err != nil {
		t.Error(body, err)
	}
}

func TestAPanicOfTheCallersFunctionLeaksNothing(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 103 Early Hints\r\n\r\n"+okText))
	e := s.endpoint(nil)
	defer func() {
		if cause := recover(); cause != "mine" {
			t.Errorf("the panic has become %v", cause)
		}
		wantConnections(t, e, 0, 0)
	}()
	_, _, _ = fetch(e, get(), Exchange{Interim: func(*http1.Response) { panic("mine") }})
}

// gate is closed when it says so.
type gate bool

func (g gate) Revoked() bool { return bool(g) }

func TestNothingIsWrittenThroughAClosedGate(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	mustFetch(t, e, get())
	for range 3 {
		body := strings.NewReader("hello")
		_, _, err := fetch(e, post(5, body), Exchange{Gate: gate(true)})
		wantKind(t, err, KindRevoked)
		if !errors.Is(err, ErrRevoked) || body.Len() != 5 {
			t.Error(err, body.Len())
		}
		wantConnections(t, e, 1, 1)
	}
	if _, body, err := fetch(e, get(), Exchange{Gate: gate(false)}); body != "ok" || err != nil {
		t.Errorf("through the open gate: %q, %v", body, err)
	}
	if n := s.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestAbort(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s := serve(t, answer(okText))
		e := s.endpoint(nil)
		mustFetch(t, e, get())
		var abort Abort
		abort.Fire()
		_, _, err := fetch(e, get(), Exchange{Abort: &abort})
		wantKind(t, err, KindAborted)
		wantConnections(t, e, 0, 0)
		_, _, err = fetch(e, get(), Exchange{Abort: &abort})
		wantKind(t, err, KindAborted)
		abort.Reset()
		if _, body, err := fetch(e, get(), Exchange{Abort: &abort}); body != "ok" || err != nil {
			t.Error(body, err)
		}
		abort.Fire() // too late: the connection is no longer this exchange's
		if body := mustFetch(t, e, get()); body != "ok" {
			t.Error(body)
		}
		wantConnections(t, e, 1, 1)
		if n := s.accepted.Load(); n != 2 {
			t.Errorf("%d connections, want the second used again", n)
		}
	})
	t.Run("while waiting", func(t *testing.T) {
		var abort Abort
		gone := make(chan string, 1)
		s := serve(t, func(p *peer) {
			p.request()
			abort.Fire()
			gone <- p.rest()
		})
		e := s.endpoint(nil)
		_, _, err := fetch(e, get(), Exchange{Abort: &abort})
		wantKind(t, err, KindAborted)
		within(t, gone)
	})
	t.Run("in the body", func(t *testing.T) {
		var abort Abort
		s := serve(t, func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel")
			p.rest()
		})
		e := s.endpoint(nil)
		resp, err := e.RoundTrip(get(), Exchange{Abort: &abort})
		if err != nil {
			t.Fatal(err)
		}
		resp.Next()
		abort.Fire()
		_, err = resp.Next()
		wantKind(t, err, KindAborted)
		resp.Close()
		wantConnections(t, e, 0, 0)
	})
}

func TestDeadline(t *testing.T) {
	for name, text := range map[string]string{
		"head": "", "body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel", "chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
	} {
		s := serve(t, func(p *peer) {
			p.request()
			p.send(text)
			p.rest()
		})
		for _, limits := range []Timeouts{{}, {ResponseHeader: time.Hour, Idle: time.Hour}} {
			e := s.endpoint(func(o *Options) { o.Timeouts = limits })
			start := time.Now()
			_, _, err := fetch(e, get(), Exchange{Deadline: start.Add(40 * time.Millisecond)})
			wantKind(t, err, KindTimeout)
			if took := time.Since(start); took < 40*time.Millisecond {
				t.Errorf("%s: after %v", name, took)
			}
		}
	}
}

func TestAnOldDeadlineDoesNotOutliveItsExchange(t *testing.T) {
	s := serve(t, answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	e := s.endpoint(func(o *Options) { o.Timeouts = Timeouts{KeepAlive: time.Hour} })
	deadline := time.Now().Add(50 * time.Millisecond)
	if _, _, err := fetch(e, get(), Exchange{Deadline: deadline}); err != nil {
		t.Skip("the machine was too slow:", err)
	}
	<-time.After(time.Until(deadline))
	for range 3 {
		mustFetch(t, e, get())
	}
	if n := s.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
