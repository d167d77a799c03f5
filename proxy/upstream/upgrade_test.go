package upstream

import (
	"errors"
	"io"
	"testing"
	"time"
)

const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\n"

// echoing answers 101 with something right behind it, and then echoes.
func echoing(p *peer) {
	p.head()
	p.send(switched + "early")
	_, _ = io.Copy(p.TCPConn, p.in)
}

// A tunnel has what was sent ahead, keeps its place until it is closed, and has no time limits left.
func TestTunnel(t *testing.T) {
	const idle = 100 * time.Millisecond
	s := serve(t, func(p *peer) {
		p.head()
		p.send(switched + "early")
		<-time.After(2 * idle) // longer than any part of an exchange may pause
		_, _ = io.Copy(p.TCPConn, p.in)
	})
	e := s.endpoint(func(o *Options) {
		o.MaxConnections, o.Timeouts.ResponseHeader, o.Timeouts.Idle = 1, 2*idle, idle
	})
	resp, err := e.RoundTrip(get(), Exchange{Upgrade: true, Deadline: time.Now().Add(patience)})
	if err != nil || resp.Status != 101 {
		t.Fatalf("got %v", err)
	}
	tunnel := resp.Tunnel()
	_ = resp.Close() // does nothing
	if string(tunnel.Early) != "early" {
		t.Errorf("early came %q", tunnel.Early)
	}
	if _, err := e.RoundTrip(get(), Exchange{}); failureOf(err).Kind != KindFull {
		t.Errorf("beside a tunnel: %v", err)
	}
	if _, err := io.WriteString(tunnel, "ping"); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 4)
	if _, err := io.ReadFull(tunnel, echo); err != nil || string(echo) != "ping" {
		t.Errorf("got %q, %v", echo, err)
	}
	wantConnections(t, e, 1, 0)
	for range 2 {
		_ = tunnel.Close()
	}
	wantConnections(t, e, 0, 0)
}

// A 101 that nobody wants is closed, not kept, and one whose exchange was aborted is no tunnel.
func TestTunnelThatIsNotTaken(t *testing.T) {
	s := serve(t, echoing)
	e := s.endpoint(nil)
	var abort Abort
	for _, aborted := range []bool{false, true} {
		abort.Reset()
		resp, err := e.RoundTrip(get(), Exchange{Upgrade: true, Abort: &abort})
		if err != nil {
			t.Fatal(err)
		}
		if aborted {
			abort.Fire()
			if resp.Tunnel() != nil {
				t.Error("an aborted exchange gave a tunnel")
			}
		}
		_ = resp.Close()
		wantConnections(t, e, 0, 0)
	}
}

// failureOf is the error of an exchange.
func failureOf(err error) *Error {
	var failure *Error
	if !errors.As(err, &failure) {
		return &Error{}
	}
	return failure
}

// A wish for a fresh connection leaves those that are idle alone, as long as another one may be opened.
func TestFreshConnection(t *testing.T) {
	s := serve(t, answer(okText))
	e := s.endpoint(func(o *Options) { o.MaxConnections = 2 })
	for i, want := range []int32{1, 1, 2, 2} {
		resp, err := e.RoundTrip(get(), Exchange{Fresh: i >= 2})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp)
		_ = resp.Close()
		if got := s.accepted.Load(); got != want {
			t.Errorf("after exchange %d: %d connections, want %d", i, got, want)
		}
	}
}

// HeadBy ends the wait for a head, and not the body behind it.
func TestHeadBy(t *testing.T) {
	const limit = 100 * time.Millisecond
	s := serve(t, func(p *peer) { p.head(); p.rest() }, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
		time.AfterFunc(2*limit, func() { p.send("k") })
		p.rest()
	})
	e := s.endpoint(nil)
	before := time.Now()
	_, err := e.RoundTrip(get(), Exchange{HeadBy: before.Add(limit), Deadline: before.Add(patience)})
	if took := time.Since(before); failureOf(err).Kind != KindTimeout || took < limit || took > patience/2 {
		t.Errorf("after %v: %v", took, err)
	}
	resp, err := e.RoundTrip(get(), Exchange{HeadBy: time.Now().Add(limit), Deadline: time.Now().Add(patience)})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp); string(body) != "ok" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	_ = resp.Close()
}
