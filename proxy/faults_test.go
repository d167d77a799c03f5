package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"haldane/config"
)

// Endpoints that break under load: what clients see, how soon it is over, and that nothing is left.

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
				piece := bytes.Repeat([]byte(test.again), 64<<10/len(test.again)) // bytes: written without another allocation
				for !v.ended && sent.Load() < 256<<20 {
					n, err := v.conn.Write(piece)
					v.ended = err != nil
					sent.Add(int64(n))
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
