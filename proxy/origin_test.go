package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// origin is an endpoint that speaks raw HTTP and checks what it hears.
type origin struct {
	t       *testing.T
	address string
	serve   func(*visit) // answers one request, body not yet read

	mu       sync.Mutex
	requests []*message // complete ones
	partial  []*message // those that were cut short
	conns    map[net.Conn]struct{}
}

// visit is one request at an origin.
type visit struct {
	*message
	t      *testing.T
	conn   *net.TCPConn
	reader *bufio.Reader
	origin *origin
	ended  bool
}

// newOrigin starts an origin. A nil serve answers "200 ok" to everything.
func newOrigin(t *testing.T, serve func(*visit)) *origin {
	t.Helper()
	if serve == nil {
		serve = func(v *visit) { v.ok() }
	}
	o := &origin{t: t, serve: serve, conns: make(map[net.Conn]struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.address = listener.Addr().String()
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.conns[conn] = struct{}{}
			o.mu.Unlock()
			wait.Go(func() { o.converse(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		o.mu.Lock()
		for conn := range o.conns {
			conn.Close()
		}
		o.mu.Unlock()
		wait.Wait()
	})
	return o
}

// converse serves one connection.
func (o *origin) converse(conn *net.TCPConn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		head, err := takeHead(reader)
		if err != nil {
			if isSyntax(err) || head.line != "" && !errors.Is(err, net.ErrClosed) {
				o.note(head, err)
			}
			return
		}
		if err := head.checkRequest(); err != nil {
			o.t.Errorf("an endpoint got a malformed request: %v", err)
			return
		}
		v := &visit{message: head, t: o.t, conn: conn, reader: reader, origin: o}
		if o.serve(v); v.ended {
			return
		}
	}
}

// note remembers a request.
func (o *origin) note(m *message, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if isSyntax(err) {
		o.t.Errorf("an endpoint got malformed bytes: %v", err)
	}
	if err != nil {
		o.partial = append(o.partial, m)
		return
	}
	o.requests = append(o.requests, m)
}

// count is how many complete requests have come.
func (o *origin) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.requests)
}

// last is the last complete request.
func (o *origin) last() *message {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.requests) == 0 {
		o.t.Fatal("no request has reached the endpoint")
	}
	return o.requests[len(o.requests)-1]
}

// read reads the body. It says whether the request was complete.
func (v *visit) read() bool {
	length, err := v.framing()
	if length == -2 {
		length = 0
	}
	if err == nil {
		err = v.takeBody(v.reader, length)
	}
	v.origin.note(v.message, err)
	v.ended = v.ended || err != nil
	return err == nil
}

// ok reads the request and answers it.
func (v *visit) ok() { v.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }

// answer reads the request and writes raw bytes.
func (v *visit) answer(raw string) {
	if v.read() {
		v.write(raw)
	}
}

// write writes raw bytes.
func (v *visit) write(raw string) {
	if _, err := io.WriteString(v.conn, raw); err != nil {
		v.ended = true
	}
}

// hangUp closes the connection after the visit.
func (v *visit) hangUp() { v.ended = true }

// reset resets the connection.
func (v *visit) reset() {
	_ = v.conn.SetLinger(0)
	v.ended = true
}

// held is how many connections an origin has taken.
func (o *origin) held() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.conns)
}

// answered says whether the client has got its answer, which then is from this origin.
func (o *origin) answered(c *client) bool {
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer func() { _ = c.conn.SetReadDeadline(time.Now().Add(2 * patience)) }()
	_, err := c.reader.Peek(1)
	return err == nil
}
