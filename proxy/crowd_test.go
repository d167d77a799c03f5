package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Endpoints that can be killed, and clients that go on whatever happens.

// backend is an endpoint that can be killed and come back at its address.
type backend struct {
	t       *testing.T
	address string
	server  *http.Server
	handler atomic.Value // http.HandlerFunc
	wait    sync.WaitGroup
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{t: t, address: "127.0.0.1:0"}
	b.behave(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	b.rise()
	t.Cleanup(b.die)
	return b
}

// behave says how requests are answered from now on.
func (b *backend) behave(h http.HandlerFunc) { b.handler.Store(h) }

// rise begins to listen, and again after die.
func (b *backend) rise() {
	b.t.Helper()
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.address = listener.Addr().String()
	b.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.handler.Load().(http.HandlerFunc)(w, r)
	})}
	b.wait.Go(func() { _ = b.server.Serve(listener) })
}

// die closes everything at once.
func (b *backend) die() {
	_ = b.server.Close()
	b.wait.Wait()
}

// tally is what clients have seen.
type tally struct {
	mu       sync.Mutex
	statuses map[int]int
	cut      int
	slow     int // answers that took longer than 100 ms
}

func (l *tally) note(status int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status == 0 {
		l.cut++
	} else {
		l.statuses[status]++
	}
	if took > 100*time.Millisecond {
		l.slow++
	}
}

// failed is how many requests were not answered 200.
func (l *tally) failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.cut
	for status, count := range l.statuses {
		if status != 200 {
			n += count
		}
	}
	return n
}

// users send GETs until stop is called, each on its own connection, and read every answer whole.
type users struct {
	address string
	tally   atomic.Pointer[tally]
	done    chan struct{}
	wait    sync.WaitGroup
}

const crowd = 4

func (r *rig) users() *users {
	u := &users{address: r.address, done: make(chan struct{})}
	u.fresh()
	for range crowd {
		u.wait.Go(u.run)
	}
	r.t.Cleanup(u.stop)
	return u
}

// fresh begins to count from zero, and gives back what was counted before.
func (u *users) fresh() *tally { return u.tally.Swap(&tally{statuses: make(map[int]int)}) }

func (u *users) stop() {
	select {
	case <-u.done:
	default:
		close(u.done)
	}
	u.wait.Wait()
}

func (u *users) run() {
	var conn net.Conn
	var reader *bufio.Reader
	for pace := time.NewTicker(2 * time.Millisecond); ; <-pace.C {
		select {
		case <-u.done:
			if conn != nil {
				conn.Close()
			}
			return
		default:
		}
		if conn == nil {
			var err error
			if conn, err = net.Dial("tcp", u.address); err != nil {
				u.tally.Load().note(0, 0)
				continue
			}
			reader = bufio.NewReader(conn)
		}
		begun, l := time.Now(), u.tally.Load()
		_, _ = io.WriteString(conn, get("/"))
		m, err := readResponse(reader, "GET")
		if err != nil {
			l.note(0, time.Since(begun))
			conn.Close()
			conn = nil
			continue
		}
		l.note(m.status(), time.Since(begun))
		if m.value("Connection") == "close" {
			conn.Close()
			conn = nil
		}
	}
}

// steady waits until so many requests in a row have gone well.
func (u *users) steady(t *testing.T, n int) {
	t.Helper()
	u.fresh()
	await(t, "the load runs well", func() bool {
		l := u.tally.Load()
		if l.failed() > 0 {
			u.fresh()
			return false
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.statuses[200] >= n
	})
}

// settled checks that nothing of an endpoint is left in use.
func (r *rig) settled() {
	r.t.Helper()
	await(r.t, "nothing is in flight and every connection is idle", func() bool {
		for _, e := range r.server.Endpoints()[0].Endpoints {
			if e.InFlight != 0 || e.Load.Open != e.Load.Idle || e.Load.Waiting != 0 {
				return false
			}
		}
		return r.totals("v1").InFlight == 0
	})
}
