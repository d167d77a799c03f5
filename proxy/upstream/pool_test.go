package upstream

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// waitReadable waits until something has come on an idle connection: octets, the end, or an error.
func waitReadable(t *testing.T, c *conn) {
	t.Helper()
	if err := c.net.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	raw, err := c.net.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var octet [1]byte
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := unix.Recvfrom(int(fd), octet[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err != unix.EAGAIN
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	for range 10 {
		if body := mustFetch(t, e, get()); body != "ok" {
			t.Errorf("body %q", body)
		}
		wantConnections(t, e, 1, 1)
	}
	if n := s.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestAConnectionThatIsNotSilentIsNotUsedAgain(t *testing.T) {
	for name, end := range map[string]func(*peer){
		"closed":                      func(p *peer) { p.Close() },
		"half-closed":                 func(p *peer) { p.CloseWrite() },
		"reset":                       func(p *peer) { p.reset() },
		"one octet":                   func(p *peer) { p.send("\n") },
		"a response nobody asked for": func(p *peer) { p.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON") },
		"octets, then closed":         func(p *peer) { p.send("HTTP/1.1 408 Request Timeout\r\n\r\n"); p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			after := make(chan struct{})
			s := serve(t, func(p *peer) {
				p.request()
				p.send(okText)
				<-after
				end(p)
				p.rest()
			}, answer(okText))
			e := s.endpoint(nil)
			mustFetch(t, e, get())
			close(after)
			waitReadable(t, e.pool.idle[0])
			if body := mustFetch(t, e, get()); body != "ok" {
				t.Errorf("body %q", body)
			}
			if n := s.accepted.Load(); n != 2 {
				t.Errorf("%d connections, want a fresh one", n)
			}
			wantConnections(t, e, 1, 1)
		})
	}
}

func TestAConnectionIsKeptOnlyAfterTwoWholeMessages(t *testing.T) {
	for name, text := range map[string]string{
		"says close":              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"HTTP/1.0":                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
		"octets behind":           okText + "\n",
		"a second response":       okText + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON",
		"octets behind chunks":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX",
		"204 with a body":         "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		"204 with a later body":   "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
		"204 with a body, silent": "HTTP/1.1 204 No Content\r\n\r\nhello",
		"304 with a body":         "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answer(text))
			e := s.endpoint(nil)
			for range 2 {
				if body := mustFetch(t, e, get()); body != "ok" && body != "" {
					t.Errorf("body %q", body)
				}
				wantConnections(t, e, 0, 0)
			}
		})
	}
}

func TestAResponseThatIsNotReadToItsEndClosesItsConnection(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	for _, read := range []int{0, 1} {
		resp, err := e.RoundTrip(get(), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resp.Read(make([]byte, read)); err != nil {
			t.Fatal(err)
		}
		resp.Close()
		wantConnections(t, e, 0, 0)
	}
	// Every octet was read, though not the io.EOF behind it: that is whole.
	resp, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := resp.Next(); string(p) != "ok" || err != nil {
		t.Fatal(p, err)
	}
	resp.Close()
	wantConnections(t, e, 1, 1)
}

func TestMaxConnections(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(func(o *Options) { o.MaxConnections = 2 })
	first, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.RoundTrip(get(), Exchange{})
	wantKind(t, err, KindFull)
	first.Close() // unread, so its connection is closed and gives its place free
	mustFetch(t, e, get())
	second.Close()
	wantConnections(t, e, 1, 1)
}

func TestIdleConnectionsGrowOld(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(func(o *Options) { o.Timeouts.KeepAlive = time.Hour })
	var open []*Response
	for range 3 {
		r, err := e.RoundTrip(get(), Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
	}
	for _, r := range open {
		r.Next()
		r.Close()
	}
	wantConnections(t, e, 3, 3)
	oldest := e.pool.idle[0]
	oldest.idleSince = oldest.idleSince.Add(-time.Minute)
	e.Prune(oldest.idleSince.Add(time.Hour - 1))
	wantConnections(t, e, 3, 3)
	e.Prune(oldest.idleSince.Add(time.Hour))
	wantConnections(t, e, 2, 2)
	for _, c := range e.pool.idle {
		c.idleSince = c.idleSince.Add(-time.Hour)
	}
	mustFetch(t, e, get())
	wantConnections(t, e, 1, 1)
	if n := s.accepted.Load(); n != 4 {
		t.Errorf("%d connections, want a fresh one", n)
	}
}

func TestTheLastUsedConnectionIsUsedFirst(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	first, _ := e.RoundTrip(get(), Exchange{})
	second, _ := e.RoundTrip(get(), Exchange{})
	last := second.conn
	for _, r := range []*Response{first, second} {
		r.Next()
		r.Close()
	}
	third, err := e.RoundTrip(get(), Exchange{})
	if err != nil || third.conn != last {
		t.Errorf("another connection, %v", err)
	}
	third.Close()
}

func TestKeepAliveZeroKeepsNothing(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(func(o *Options) { o.Timeouts.KeepAlive = 0 })
	mustFetch(t, e, get())
	wantConnections(t, e, 0, 0)
}

func TestCloseDropsIdleConnectionsAndLetsOthersFinish(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(nil)
	inFlight, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	mustFetch(t, e, get())
	wantConnections(t, e, 2, 1)
	e.Close()
	wantConnections(t, e, 1, 0)
	if p, err := inFlight.Next(); string(p) != "ok" || err != nil {
		t.Error(p, err)
	}
	inFlight.Close()
	wantConnections(t, e, 0, 0)
	mustFetch(t, e, get())
	wantConnections(t, e, 0, 0)
}

func TestInFlightIsCountedByTheCaller(t *testing.T) {
	e := NewEndpoint(Options{Address: "a.test:80"})
	e.Begin()
	e.Begin()
	e.End()
	if e.InFlight() != 1 || e.Address() != "a.test:80" {
		t.Error(e.InFlight(), e.Address())
	}
}
