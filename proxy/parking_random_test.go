//go:build linux

package proxy

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"haldane/config"
)

// pipes is a listener whose connections are no sockets.
type pipes struct {
	net.Listener
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

// A connection that cannot be parked keeps its goroutine, and its idle time.
func TestUnparkable(t *testing.T) {
	o := newOrigin(t, nil)
	s := plain(o.address)
	s.Stats = two("", "").Stats
	s.Timeouts.Idle = config.Duration(500 * time.Millisecond)
	server := New(Options{})
	server.Swap(build(t, s, nil, nil))
	listener := &pipes{conns: make(chan net.Conn)}
	stop, done := serveUntil(server, listener)
	server.awake.Add(100 * parkCrowd)
	near, far := net.Pipe()
	listener.conns <- far
	answer := make([]byte, 4096)
	began := time.Now()
	for n := range 3 {
		if _, err := io.WriteString(near, get("/")); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(answer); err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		began = time.Now()
		await(t, "longer than until the parking", func() bool { return time.Since(began) > 200*time.Millisecond })
	}
	if _, err := near.Read(answer); err != io.EOF {
		t.Errorf("after the idle time: %v", err)
	}
	if took := time.Since(began); took < 450*time.Millisecond || took > 2*time.Second {
		t.Errorf("an idle connection ended after %v", took)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	server.Close()
}

// When the waiting fails, connections go on with goroutines.
func TestParkingFails(t *testing.T) {
	o := newOrigin(t, nil)
	r := impatient(start(t, plain(o.address)))
	c := r.dial()
	c.send(get("/")).receive()
	r.parked(1)
	r.server.parking.poller.close()
	r.parked(0)
	for range 2 {
		if got := c.send(get("/")).receive(); got.status() != 200 {
			t.Errorf("got %q", got.line)
		}
		began := time.Now()
		await(t, "longer than until the parking", func() bool { return time.Since(began) > 200*time.Millisecond })
	}
}

// Slots are held against a plain map: what was put can be taken once, by its own ticket only.
func TestParkingSlots(t *testing.T) {
	server := New(Options{})
	p := &parking{server: server}
	inside, outside := make(map[spot]*clientConn), make([]spot, 0)
	dice := rand.New(rand.NewPCG(1, 2))
	for n := range 20_000 {
		switch crowded := dice.IntN(100) < 50+50*(n/1000%2)-25; {
		case crowded:
			c := &clientConn{server: server}
			c.timeouts.idle = time.Hour
			at, ok := p.put(c)
			if _, taken := inside[at]; !ok || taken {
				t.Fatalf("%v was given twice", at)
			}
			inside[at] = c
		case len(outside) > 0 && dice.IntN(3) == 0:
			if c := p.take(outside[dice.IntN(len(outside))]); c != nil {
				t.Fatal("a connection was taken by an old ticket")
			}
		default:
			for at, c := range inside {
				if p.take(at) != c {
					t.Fatalf("%v has gone", at)
				}
				delete(inside, at)
				outside = append(outside, at)
				break
			}
		}
		if p.len() != len(inside) {
			t.Fatalf("%d are inside, not %d", p.len(), len(inside))
		}
	}
	if over := p.overdue(); len(over) != 0 {
		t.Errorf("%d connections ended too early", len(over))
	}
	for at := range inside {
		p.slots[at.slot].due = 1
	}
	p.earliest = 1
	if over := p.overdue(); len(over) != len(inside) || p.len() != 0 {
		t.Errorf("%d of %d connections ended", len(over), len(inside))
	}
}

// Many clients do whatever they like, at their own pace; each gets the answers to its own requests, in their order, and
// nothing is left of it.
func TestParkingAtRandom(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.echo() })
	r := impatient(start(t, plain(o.address)))
	var wait sync.WaitGroup
	for n := range 40 {
		wait.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(n), 7))
			for round := range 3 {
				r.whim(dice, fmt.Sprintf("/%d/%d", n, round))
			}
		})
	}
	wait.Wait()
	r.gone()
	await(t, "all goroutines to have ended", func() bool { return r.server.awake.Load() == 100*parkCrowd })
}

// whim is the life of one connection.
func (r *rig) whim(dice *rand.Rand, name string) {
	c := r.dial()
	defer c.conn.Close()
	rest := func() { <-time.After(time.Duration(dice.IntN(140)) * time.Millisecond) }
	for n := range 6 {
		var raw string
		var want []string
		for k := range 1 + dice.IntN(3) {
			want = append(want, fmt.Sprintf("%s/%d/%d", name, n, k))
			raw += get(want[k])
		}
		for parts := 1 + dice.IntN(3); parts > 1; parts-- {
			cut := dice.IntN(len(raw))
			c.send(raw[:cut])
			raw = raw[cut:]
			rest()
		}
		c.send(raw)
		if dice.IntN(12) == 0 {
			_ = c.conn.SetLinger(dice.IntN(2) - 1)
			return
		}
		for _, one := range want {
			if m, err := readResponse(c.reader, "GET"); err != nil || m.body != one {
				r.t.Errorf("got %q %q, %v instead of %q", m.line, m.body, err, one)
				return
			}
		}
		if dice.IntN(12) == 0 {
			c.send(strings.Repeat("G", dice.IntN(2)))
			return
		}
		rest()
	}
}
