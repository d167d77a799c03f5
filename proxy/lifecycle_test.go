package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Reloads under load fail no request, close no client's connection, and mix no two configurations.
func TestSwapUnderLoad(t *testing.T) {
	origins := []*origin{newOrigin(t, nil), newOrigin(t, nil)}
	s := plain(origins[0].address)
	r := start(t, s)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var answered atomic.Int64
	for range 4 {
		c := r.dial()
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := io.WriteString(c.conn, get("/")); err != nil {
					t.Errorf("send: %v", err)
					return
				}
				if m, err := readResponse(c.reader, "GET"); err != nil || m.status() != 200 {
					t.Errorf("got %q, %v", m.line, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	s.Stats = r.stats
	for i := range 100 {
		before := answered.Load()
		s.Services = plain(origins[i%2].address).Services
		r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
		await(t, "requests between two reloads", func() bool { return answered.Load() >= before+8 })
	}
	close(stop)
	wait.Wait()
	if totals := r.totals("v1"); totals.Requests != uint64(answered.Load()) || totals.Failed > 0 {
		t.Errorf("%d answers, counted %+v", answered.Load(), totals)
	}
}

func TestConnectionLimit(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	s.Limits.Connections = 1
	r := start(t, s)
	first := r.dial()
	first.send(get("/")).receive()
	second := r.dial().send(get("/"))
	if got := second.receive(); got.status() != 503 || got.value("Haldane-Error") != "too many connections" || got.value("Connection") != "close" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	second.ends()
	first.conn.Close()
	await(t, "room", func() bool { return r.server.Numbers().Connections == 0 })
	if r.dial().send(get("/")).receive().status() != 200 || r.server.Numbers().RefusedConnections != 1 {
		t.Errorf("numbers %+v", r.server.Numbers())
	}
}

// flaky is a listener that fails a few times before it works.
type flaky struct {
	net.Listener
	errs chan error
}

func (f flaky) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

// Running out of file descriptors does not end the server; losing the listener does.
func TestAcceptErrors(t *testing.T) {
	o := newOrigin(t, nil)
	core, logs := observer.New(zapcore.WarnLevel)
	server := New(Options{Logger: zap.New(core)})
	s := plain(o.address)
	s.Stats = two("", "").Stats
	server.Swap(build(t, s, nil, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := flaky{listener, make(chan error, 3)}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
		f.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(context.Background(), Entrance{Listener: f}) }()
	r := &rig{t: t, server: server, address: listener.Addr().String()}
	if got := r.dial().send(get("/", "Connection: close")).receive(); got.status() != 200 || logs.Len() != 3 {
		t.Errorf("got %q after %d warnings", got.line, logs.Len())
	}
	listener.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
	server.Close()
}

func TestServeNeedsASnapshot(t *testing.T) {
	if err := New(Options{}).Serve(context.Background()); !errors.Is(err, errNoSnapshot) {
		t.Errorf("Serve: %v", err)
	}
}

// Slow and silent clients are let go.
func TestClientTimeouts(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	s.Timeouts.Header, s.Timeouts.Idle = config.Duration(100*time.Millisecond), config.Duration(100*time.Millisecond)
	r := start(t, s)
	silent, used := r.dial(), r.dial()
	used.send(get("/")).receive()
	silent.ends()
	used.ends()
	for _, start := range []string{"", get("/")} {
		slow := r.dial()
		if start != "" {
			slow.send(start).receive()
		}
		stop := make(chan struct{})
		var wait sync.WaitGroup
		wait.Go(func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-tick.C:
					_, _ = io.WriteString(slow.conn, "X: y\r\n")
				}
			}
		})
		slow.send("GET / HTTP/1.1\r\n")
		began := time.Now()
		if got := slow.receive(); got.status() != 408 || time.Since(began) > patience/2 {
			t.Errorf("a slow head got %q after %v", got.line, time.Since(began))
		}
		close(stop)
		wait.Wait()
	}
}

// A client that does not read is cut after the write limit.
func TestClientDoesNotRead(t *testing.T) {
	ended := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		for piece := strings.Repeat("x", 64<<10); !v.ended; {
			v.write(piece)
		}
		close(ended)
	})
	s := plain(o.address)
	s.Timeouts.Write = config.Duration(100 * time.Millisecond)
	start(t, s).dial().send(get("/"))
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the endpoint still sends")
	}
}

// A panic costs its request and nothing else.
func TestPanicIsContained(t *testing.T) {
	middle := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		switch v.target() {
		case "/bad":
			v.answer("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
		case "/late":
			v.answer("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			<-middle
			v.write("0\r\n\r\n")
		default:
			v.ok()
		}
	})
	core, logs := observer.New(zapcore.ErrorLevel)
	s := two(o.address, o.address)
	r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(config.Whole)}, zap.New(core))
	budget := s.Stats.Service("web").Budget()
	budget.Arm(stats.Arming{Limits: stats.Limits{Failed: 1}, Trip: func() { panic("trip") }})
	c := r.dial()
	if got := c.send(get("/bad", "Cookie: user=u")).receive(); got.status() != 500 || got.value("Haldane-Error") != "internal error" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	c.ends()
	budget.Arm(stats.Arming{Limits: stats.Limits{Failed: 1}, Trip: func() { panic("trip") }})
	c = r.dial().send(get("/late", "Cookie: user=u"))
	if _, err := c.reader.Peek(1); err != nil {
		t.Fatal(err)
	}
	close(middle)
	if got, err := readResponse(c.reader, "GET"); err == nil || got.whole {
		t.Errorf("a response that broke in the middle ended as %+v", got)
	}
	if r.dial().send(get("/", "Cookie: user=u")).receive().status() != 200 {
		t.Error("the proxy did not survive")
	}
	if r.server.Numbers().Panics != 2 || logs.Len() != 2 || !strings.Contains(logs.All()[0].ContextMap()["stack"].(string), "settle") {
		t.Errorf("%+v, logged %v", r.server.Numbers(), logs.All())
	}
	if totals := r.totals("v2"); totals.InFlight != 0 {
		t.Errorf("%d requests are still in flight", totals.InFlight)
	}
}

// A standard client, with its own idea of connection reuse, gets along with the proxy.
func TestStandardClient(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, body := range []io.Reader{nil, strings.NewReader("known"), io.MultiReader(strings.NewReader("chunked"))} {
		response, err := (&http.Client{Transport: transport}).Post("http://"+r.address+"/x", "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(got) != "ok" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
