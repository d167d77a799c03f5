package proxy

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haldane/config"
)

// A drain lets a request in flight finish, tells its client, takes no new connection, and closes idle ones.
func TestDrain(t *testing.T) {
	entered, held := make(chan struct{}), make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		if v.target() == "/slow" {
			close(entered)
			<-held
		}
		v.ok()
	})
	r := start(t, plain(o.address))
	idle, slow, fresh := r.dial(), r.dial(), r.dial()
	idle.send(get("/")).receive()
	slow.send(get("/slow"))
	<-entered
	await(t, "all connections", func() bool { return r.server.Numbers().Connections == 3 })
	r.stop()
	idle.ends()
	fresh.ends()
	if _, err := net.Dial("tcp", r.address); err == nil {
		t.Error("a draining proxy takes connections")
	}
	close(held)
	if got := slow.receive(); got.status() != 200 || got.value("Connection") != "close" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	slow.ends()
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
}

// What has not finished in time is cut, and Serve returns although the endpoint never answers.
func TestDrainHasAnEnd(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	o := newOrigin(t, func(v *visit) { v.read(); <-hang; v.hangUp() })
	s := plain(o.address)
	s.Timeouts.Drain = config.Duration(50 * time.Millisecond)
	r := start(t, s)
	c := r.dial().send(get("/"))
	await(t, "the request to arrive", func() bool { return o.count() == 1 })
	began := time.Now()
	if err := r.shutdown(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the drain took %v", took)
	}
	if _, err := c.reader.ReadByte(); err == nil {
		t.Error("the client got an answer")
	}
}

// Clients that keep their connections and clients that open new ones lose no request when the proxy drains under them.
func TestDrainUnderLoad(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	var wait sync.WaitGroup
	var answered, failed atomic.Int64
	for range 16 {
		wait.Go(func() {
			// As a client that may not repeat requests sees it: a connection that was closed while it was idle is
			// nothing, a request that was written and not answered is a failure.
			for {
				conn, err := net.Dial("tcp", r.address)
				if err != nil {
					return // drained
				}
				c := &client{t: t, conn: conn.(*net.TCPConn), reader: bufio.NewReader(conn)}
				for n := 0; ; n++ {
					if _, err := io.WriteString(conn, get("/")); err != nil {
						failed.Add(1)
						break
					}
					m, err := readResponse(c.reader, "GET")
					if err != nil || m.status() != 200 {
						failed.Add(1)
						t.Logf("request %d of a connection: %v %q", n, err, m.line)
						break
					}
					answered.Add(1)
					if m.value("Connection") == "close" {
						break
					}
				}
				conn.Close()
			}
		})
	}
	await(t, "some load", func() bool { return answered.Load() > 500 })
	err := r.shutdown()
	wait.Wait()
	if err != nil || failed.Load() > 0 {
		t.Errorf("%d of %d requests failed; Serve: %v", failed.Load(), answered.Load()+failed.Load(), err)
	}
}
