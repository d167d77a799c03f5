package upstream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"haldane/proxy/http1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything in a test may take before it has gone wrong.
const patience = 10 * time.Second

// server is an endpoint that does what a script says: the first connection the first script, and so on; the last script is
// for all further ones.
type server struct {
	t        *testing.T
	listener net.Listener
	accepted atomic.Int32
	running  sync.WaitGroup
}

func serve(t *testing.T, scripts ...func(*peer)) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, listener: listener}
	s.running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			n := int(s.accepted.Add(1))
			p := &peer{t: t, TCPConn: c.(*net.TCPConn), in: bufio.NewReader(c)}
			_ = p.SetDeadline(time.Now().Add(patience))
			s.running.Go(func() {
				defer p.Close()
				scripts[min(n, len(scripts))-1](p)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.running.Wait()
	})
	return s
}

// endpoint makes an endpoint for the server, which is closed before the server is waited for.
func (s *server) endpoint(change func(*Options)) *Endpoint {
	o := Options{Address: s.listener.Addr().String(), Timeouts: Timeouts{
		Connect: patience, ResponseHeader: patience, Idle: patience, KeepAlive: patience,
	}}
	if change != nil {
		change(&o)
	}
	e := NewEndpoint(o)
	s.t.Cleanup(func() {
		e.Close()
		if open, idle := e.Connections(); open != 0 || idle != 0 {
			s.t.Errorf("%d connections are left, %d of them idle", open, idle)
		}
	})
	return e
}

// peer is the server's side of one connection.
type peer struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

// request reads one whole request and returns its request line and its body; nil at the end of the connection.
func (p *peer) request() *seen {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	return &seen{line: r.Method + " " + r.RequestURI, body: string(body), trailer: r.Trailer, length: r.ContentLength, err: err}
}

// head reads a request head, as text.
func (p *peer) head() string {
	var b strings.Builder
	for {
		line, err := p.in.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

// rest reads what comes until the connection ends.
func (p *peer) rest() string {
	b, _ := io.ReadAll(p.in)
	return string(b)
}

func (p *peer) send(text string) { _, _ = io.WriteString(p, text) }

// reset closes the connection with a RST.
func (p *peer) reset() {
	_ = p.SetLinger(0)
	_ = p.Close()
}

type seen struct {
	line, body string
	trailer    http.Header
	length     int64
	err        error
}

// answer serves every request of a connection with the same text.
func answer(text string) func(*peer) {
	return func(p *peer) {
		for p.request() != nil {
			p.send(text)
		}
	}
}

const okText = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func get() *http1.Request {
	return &http1.Request{Method: []byte("GET"), Target: []byte("/"), Fields: http1.Fields{{Name: []byte("Host"), Value: []byte("a.test")}}}
}

func post(length int64, body io.Reader) *http1.Request {
	r := get()
	r.Method, r.Length, r.Body = []byte("POST"), length, body
	return r
}

// fetch does one exchange and reads all of it.
func fetch(e *Endpoint, r *http1.Request, o Exchange) (status int, body string, err error) {
	resp, err := e.RoundTrip(r, o)
	if err != nil {
		return 0, "", err
	}
	defer resp.Close()
	status = resp.Status
	b, err := io.ReadAll(resp)
	return status, string(b), err
}

// mustFetch is fetch of a request that has to succeed.
func mustFetch(t *testing.T, e *Endpoint, r *http1.Request) string {
	t.Helper()
	_, body, err := fetch(e, r, Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// kindIn returns the kind of an error, 0 for none.
func kindIn(t *testing.T, err error) Kind {
	t.Helper()
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T) is not an *Error", err, err)
	}
	return e.Kind
}

func wantKind(t *testing.T, err error, want Kind) {
	t.Helper()
	if got := kindIn(t, err); got != want {
		t.Errorf("%v: kind %v, want %v", err, got, want)
	}
}

func wantConnections(t *testing.T, e *Endpoint, open, idle int) {
	t.Helper()
	if o, i := e.Connections(); o != open || i != idle {
		t.Errorf("%d connections, %d of them idle; want %d and %d", o, i, open, idle)
	}
}

// within waits for a channel to be closed or to give something.
func within[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing happens")
	}
	return v
}

// stalledBody gives its text and then blocks until it is told to end.
type stalledBody struct {
	text    string
	blocked chan struct{} // closed when the text has been read
	release chan struct{}
	err     error // what it ends with
	once    sync.Once
	cancel  sync.Once
}

func newStalledBody(text string, err error) *stalledBody {
	return &stalledBody{text: text, err: err, blocked: make(chan struct{}), release: make(chan struct{})}
}

func (b *stalledBody) Read(p []byte) (int, error) {
	if b.text != "" {
		n := copy(p, b.text)
		b.text = b.text[n:]
		return n, nil
	}
	b.once.Do(func() { close(b.blocked) })
	<-b.release
	return 0, b.err
}

func (b *stalledBody) CancelRead() { b.cancel.Do(func() { close(b.release) }) }
