package admin

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"haldane/rollout"
)

// pipes is a listener without sockets, so that a whole server runs on the clock of a test bubble.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// dial makes a connection to the listener.
func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.connections <- theirs
	return ours
}

// follower reads one event stream.
type follower struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// sse is one event, or one comment, of a stream.
type sse struct{ id, kind, data, comment, retry string }

// follow asks for the stream of events.
func (p *pipes) follow(t *testing.T, lastID string) *follower {
	t.Helper()
	return p.stream(t, "/api/v1/events", lastID)
}

// stream asks for a stream.
func (p *pipes) stream(t *testing.T, path, lastID string) *follower {
	t.Helper()
	f := &follower{t: t, conn: p.dial()}
	head := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n"
	if lastID != "" {
		head += "Last-Event-ID: " + lastID + "\r\n"
	}
	go func() { _, _ = io.WriteString(f.conn, head+"\r\n") }()
	response, err := http.ReadResponse(bufio.NewReader(f.conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	f.in = bufio.NewReader(response.Body)
	return f
}

// next is the next block of the stream.
func (f *follower) next() sse {
	f.t.Helper()
	var block sse
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			f.t.Fatalf("%v after %q", err, line)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return block
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			block.id = value
		case "event":
			block.kind = value
		case "data":
			block.data = value
		case "retry":
			block.retry = value
		case "":
			block.comment = value
		}
	}
}

// greeted is a follower that has read the beginning of its stream, and the id it got.
func (p *pipes) greeted(t *testing.T, lastID string) (*follower, string) {
	t.Helper()
	f := p.follow(t, lastID)
	if first := f.next(); first.retry != "2000" {
		t.Fatalf("the stream begins with %+v", first)
	}
	hello := f.next()
	if hello.kind != "hello" || hello.data != `{"version":"v1.2.3"}` || hello.id == "" {
		t.Fatalf("the greeting is %+v", hello)
	}
	return f, hello.id
}

// bubble runs a server on pipes under the clock of a test.
func bubble(t *testing.T, test func(t *testing.T, f *fake, s *Server, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		o := options(f)
		o.Config.Address = off
		o.Services = func() []Service {
			return []Service{{Name: "quiet", Stable: "v1"}, {Name: "shop", Stable: "v1", Canary: "v2"}}
		}
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		p := newPipes()
		s.entries = append(s.entries, s.newEntry(p, socketDoor()))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}()
		test(t, f, s, p)
	})
}

// event is an event that can be told from others.
func event(n uint64) rollout.Event {
	return rollout.Event{Sequence: n, Service: "shop", Kind: rollout.EventStep}
}
