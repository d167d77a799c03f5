package rawhttp

import (
	"errors"
	"net"
	"sync"
	"time"
)

// record is what reached the endpoint in one trial.
type record struct {
	mu       sync.Mutex
	trial    *trial
	over     chan struct{} // closed when the trial is over
	after    bool          // what follows the trial itself is under way: the endpoint is well again
	whole    []*request
	partial  map[net.Conn]*request // the unfinished request of a connection
	breach   []string              // of the grammar
	raw      []byte                // everything, up to a bound
	closedAt time.Time             // when the proxy first closed a connection
}

// rawBound is how much of what reached an endpoint is kept.
const rawBound = 4 << 20

func newRecord(t *trial) *record {
	return &record{trial: t, over: make(chan struct{}), partial: make(map[net.Conn]*request)}
}

// endpoint is a scripted origin server on raw TCP.
type endpoint struct {
	listener net.Listener
	group    sync.WaitGroup

	mu      sync.Mutex
	current *record
	open    map[net.Conn]bool
}

// newEndpoint listens on a free port of loopback. Stop ends what it starts.
func newEndpoint() (*endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &endpoint{listener: listener, open: make(map[net.Conn]bool)}
	e.group.Go(e.accept)
	return e, nil
}

func (e *endpoint) stop() {
	_ = e.listener.Close()
	e.begin(nil)
	e.group.Wait()
}

func (e *endpoint) accept() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.open[conn] = true
		e.mu.Unlock()
		e.group.Go(func() {
			defer e.forget(conn)
			(&visit{endpoint: e, conn: conn}).serve()
		})
	}
}

// forget closes a connection. Its end counts in the trial that saw bytes of it last.
func (e *endpoint) forget(conn net.Conn) {
	_ = conn.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, conn)
}

// begin starts a record; nil ends the last one and closes every connection.
func (e *endpoint) begin(r *record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil && r != e.current {
		close(e.current.over)
	}
	e.current = r
	if r == nil {
		for conn := range e.open {
			_ = conn.Close()
		}
	}
}

func (e *endpoint) now() *record {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}

// errOver ends a visit.
var errOver = errors.New("the visit is over")

// visit is one connection to the endpoint.
type visit struct {
	endpoint *endpoint
	conn     net.Conn
	record   *record
	buffer   []byte
	served   int  // requests of this record on this connection
	answered bool // the request that is still coming in
}

func (v *visit) serve() {
	chunk := make([]byte, 64<<10)
	for {
		n, err := v.conn.Read(chunk)
		if now := v.endpoint.now(); now != v.record {
			*v = visit{endpoint: v.endpoint, conn: v.conn, record: now}
		}
		if v.record == nil {
			return
		}
		if n > 0 {
			v.note(chunk[:n])
		}
		if err != nil {
			v.noteClosed()
			return
		}
		if v.drain() != nil {
			return
		}
	}
}

func (v *visit) note(p []byte) {
	v.buffer = append(v.buffer, p...)
	v.record.mu.Lock()
	defer v.record.mu.Unlock()
	v.record.raw = append(v.record.raw, p[:min(len(p), rawBound-len(v.record.raw))]...)
}

// noteClosed notes that the proxy has closed a connection on which it had sent something in this trial.
func (v *visit) noteClosed() {
	v.record.mu.Lock()
	defer v.record.mu.Unlock()
	if v.record.closedAt.IsZero() && (v.served > 0 || v.record.partial[v.conn] != nil) {
		v.record.closedAt = time.Now()
	}
}

// drain serves the requests that have come.
func (v *visit) drain() error {
	for len(v.buffer) > 0 {
		r, n, err := parseRequest(v.buffer)
		switch {
		case err == errUnfinished:
			return v.unfinished(r)
		case err != nil:
			v.record.mu.Lock()
			v.record.breach = append(v.record.breach, err.Error())
			v.record.mu.Unlock()
			return err
		}
		v.buffer = v.buffer[n:]
		v.served++
		v.record.mu.Lock()
		delete(v.record.partial, v.conn)
		v.record.whole = append(v.record.whole, r)
		after := v.record.after
		v.record.mu.Unlock()
		if v.answered {
			v.answered = false
			continue
		}
		if err := v.answer(r, after); err != nil {
			return err
		}
	}
	return nil
}

// unfinished is a request whose end has not come. An early script answers it now; an expectation is met with 100.
func (v *visit) unfinished(r *request) error {
	if r == nil {
		return nil
	}
	v.record.mu.Lock()
	v.record.partial[v.conn] = r
	v.record.mu.Unlock()
	if v.record.trial.endpoint.early && !v.answered {
		v.answered = true
		return v.play(v.record.trial.endpoint.steps)
	}
	return nil
}

func (v *visit) answer(r *request, after bool) error {
	s := &v.record.trial.endpoint
	steps := s.steps
	switch {
	case after:
		steps = nil
	case s.stale && v.served > 1:
		return errOver
	case r.target == s.target:
		steps = s.special
	}
	if len(steps) == 0 {
		steps = []step{{verb: send, text: defaultAnswer, count: 1}}
	}
	return v.play(steps)
}
