package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haldane/config"
)

// Endpoints that break under load: what clients see, how soon it is over, and that nothing is left.

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

// careful is a service at these endpoints that ejects after three failures, for a moment.
func careful(addresses ...string) Sections {
	s := plain(addresses...)
	v1 := s.Services["web"].Variants["v1"]
	v1.Ejection = config.Ejection{Failures: 3, Time: config.Duration(200 * time.Millisecond), MaxShare: 50 * percent}
	v1.Timeouts.ResponseHeader = config.Duration(200 * time.Millisecond)
	v1.Timeouts.Idle = config.Duration(200 * time.Millisecond)
	s.Services["web"].Variants["v1"] = v1
	return s
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

// One of two endpoints breaks in some way: a few requests fail, then none, and when it is well again it is used again.
func TestOneOfTwoBreaks(t *testing.T) {
	hijack := func(w http.ResponseWriter, do func(*net.TCPConn)) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		do(conn.(*net.TCPConn))
	}
	for name, broken := range map[string]http.HandlerFunc{
		"killed": nil,
		"hangs":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"resets in the body": func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
				_ = c.SetLinger(0)
			})
		},
		"half-closes": func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) })
		},
		"stops in the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "hello")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"talks garbage": func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, func(c *net.TCPConn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") })
		},
		"answers 503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
	} {
		t.Run(name, func(t *testing.T) {
			one, two := newBackend(t), newBackend(t)
			healthy := two.handler.Load().(http.HandlerFunc)
			r := start(t, careful(one.address, two.address))
			u := r.users()
			u.steady(t, 50)
			if broken == nil {
				two.die()
			} else {
				two.behave(broken)
			}
			out := func() bool { return !r.server.Endpoints()[0].Endpoints[1].Up }
			await(t, "the broken one is ejected", out)
			u.steady(t, 100)
			if broken == nil {
				two.rise()
			} else {
				two.behave(healthy)
			}
			await(t, "it comes back", func() bool { return !out() })
			u.steady(t, 200)
			u.stop()
			r.settled()
			e := r.server.Endpoints()[0].Endpoints
			if e[0].Ejections != 0 || e[1].Ejections == 0 || e[1].Last.What == "" {
				t.Errorf("ejections %d and %d, last error %q", e[0].Ejections, e[1].Ejections, e[1].Last.What)
			}
		})
	}
}

// While an endpoint that hangs is ejected, at most one request in each ejection time finds out again.
func TestFewRequestsMeetABrokenEndpoint(t *testing.T) {
	one, two := newBackend(t), newBackend(t)
	s := careful(one.address, two.address)
	v1 := s.Services["web"].Variants["v1"]
	v1.Ejection.Time = config.Duration(patience)
	s.Services["web"].Variants["v1"] = v1
	r := start(t, s)
	u := r.users()
	u.steady(t, 50)
	u.fresh()
	two.die()
	await(t, "the broken one is ejected", func() bool { return !r.server.Endpoints()[0].Endpoints[1].Up })
	u.steady(t, 200)
	u.stop()
	if n := r.totals("v1").Failed; n < 3 || n > 3+2*crowd {
		t.Errorf("%d requests failed", n)
	}
}

// When all endpoints are gone, clients are told at once, nothing piles up, and it is over as soon as one is back.
func TestBothAreKilled(t *testing.T) {
	one, two := newBackend(t), newBackend(t)
	r := start(t, careful(one.address, two.address))
	u := r.users()
	u.steady(t, 50)
	one.die()
	two.die()
	await(t, "requests fail", func() bool { return u.tally.Load().failed() > 2*crowd })
	goroutines := runtime.NumGoroutine()
	u.fresh()
	await(t, "requests fail", func() bool { return u.tally.Load().failed() > 200 })
	if n := runtime.NumGoroutine(); n > goroutines+2*crowd {
		t.Errorf("from %d to %d goroutines", goroutines, n)
	}
	l := u.fresh()
	l.mu.Lock()
	if l.statuses[502]+l.statuses[503] < 200 || l.cut > 0 || l.statuses[200] > 0 {
		t.Errorf("clients saw %v, %d were cut", l.statuses, l.cut)
	}
	if l.slow > 10 { // one in twenty is the machine's share
		t.Errorf("%d of 200 waited longer than 100 ms", l.slow)
	}
	l.mu.Unlock()
	one.rise()
	begun := time.Now()
	u.steady(t, 100)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("well again only after %v", took)
	}
	two.rise()
	u.steady(t, 100)
	u.stop()
	r.settled()
}

// An endpoint that never stops talking costs a bounded amount of memory, whatever it says.
func TestEndlessAnswers(t *testing.T) {
	for name, test := range map[string]struct{ first, again string }{
		"garbage":         {"", "garbage"},
		"a status line":   {"HTTP/1.1 200 ", "OK"},
		"a field":         {"HTTP/1.1 200 OK\r\nX: ", "xxxxxxxx"},
		"fields":          {"HTTP/1.1 200 OK\r\n", "X: yyyy\r\n"},
		"interim answers": {"", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
		"a chunk's size":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"},
		"trailers":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			o := newOrigin(t, func(v *visit) {
				v.answer(test.first)
				piece := strings.Repeat(test.again, 64<<10/len(test.again))
				for !v.ended && sent.Load() < 256<<20 {
					v.write(piece)
					sent.Add(int64(len(piece)))
				}
				v.hangUp()
			})
			r := start(t, plain(o.address))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 5 {
				c := r.dial().send(get("/"))
				m, err := readResponse(c.reader, "GET")
				for err == nil && m.status() == 103 {
					m, err = readResponse(c.reader, "GET")
				}
				if err == nil && m.status() != 502 {
					t.Errorf("the client got %q", m.line)
				}
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
				t.Errorf("%d MiB were allocated", grown>>20)
			}
			if n := sent.Load(); n > 64<<20 {
				t.Errorf("%d MiB were taken", n>>20)
			}
		})
	}
}

// An endpoint that takes a connection and never reads holds the client back, and no memory.
func TestAnUploadThatNobodyReads(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	o := newOrigin(t, func(v *visit) { <-hang; v.hangUp() })
	s := plain(o.address)
	v1 := s.Services["web"].Variants["v1"]
	v1.Timeouts.Idle = config.Duration(1500 * time.Millisecond)
	s.Services["web"].Variants["v1"] = v1
	r := start(t, s)
	c := r.dial().send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n", 1<<30))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	piece, sent := make([]byte, 64<<10), 0
	for {
		n, err := c.conn.Write(piece)
		if sent += n; err != nil {
			break
		}
		if sent > 64<<20 {
			t.Fatal("the proxy takes without end what nobody reads")
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d kB were allocated on the way", grown>>10)
	}
	c.conn.Close()
	r.settled()
}
