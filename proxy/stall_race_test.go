package proxy

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haldane/router"
	"haldane/stats"
)

// meeting is connections whose requests may stall at any moment, and a sweep that never rests.
type meeting struct {
	server *Server
	served *service
	conns  []*clientConn
	known  atomic.Uint64 // requests that know that they were booked
}

// exchange begins a request and ends it. Every other one has a body, some of which are on their way when the answer comes.
func (m *meeting) exchange(c *clientConn, n int) {
	x := c.exchange
	x.service, x.variant, x.started = m.served, &m.served.variants[0], time.Now()
	x.assignment.Split = &router.Split{}
	x.body.conn = c
	x.body.whole.Store(n%2 == 0)
	x.watchStall()
	var upload sync.WaitGroup
	if n%2 == 1 {
		upload.Go(x.body.end)
	}
	switch n % 3 {
	case 0:
		upload.Wait()
		runtime.Gosched()
	case 1:
		runtime.Gosched()
	}
	x.unwatchStall()
	upload.Wait()
	if x.stalled {
		m.known.Add(1)
	}
	x.reset()
}

// sweep books what has stalled until it is stopped.
func (m *meeting) sweep(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		for _, c := range m.conns {
			m.server.bookStall(c, m.server.clock())
		}
	}
}

// However the sweep and the answers meet, a request is booked by the sweep if and only if it knows of it.
func TestStallIsTakenOnce(t *testing.T) {
	const conns, requests = 4, 2000
	v := stats.NewRegistry(1).Service("web").Variant("v1")
	m := &meeting{
		server: New(Options{}),
		served: &service{stalls: &stallLimit{least: 1}, variants: []variant{{stats: v, counter: v.Counter}}},
	}
	for id := range uint64(conns) {
		c := &clientConn{server: m.server, id: id}
		c.takeExchange()
		m.conns = append(m.conns, c)
	}
	stop := make(chan struct{})
	var working, sweeping sync.WaitGroup
	sweeping.Go(func() { m.sweep(stop) })
	for _, c := range m.conns {
		working.Go(func() {
			for n := range requests {
				m.exchange(c, n)
			}
		})
	}
	working.Wait()
	close(stop)
	sweeping.Wait()
	if booked := v.Totals().Stalled; booked != m.known.Load() || booked == 0 {
		t.Errorf("the sweep has booked %d requests, and %d know of it", booked, m.known.Load())
	}
	t.Logf("%d of %d requests were booked by the sweep", m.known.Load(), conns*requests)
}
