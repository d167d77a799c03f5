package faults

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"haldane/bench/process"
)

// hammer asks the admin side for everything it shows, from so many clients, each as fast as it is answered.
type hammer struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
	asked  atomic.Int64 // answers
	turned atomic.Int64 // of them, those that said that there are too many
}

func (s *setting) hammer(clients int) *hammer {
	ctx, cancel := context.WithCancel(context.Background())
	h := &hammer{cancel: cancel}
	for n := range clients {
		h.group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			paths := []string{"/metrics", "/api/v1/services", "/api/v1/rollouts", "/api/v1/config", "/api/v1/history"}
			for i := n; ctx.Err() == nil; i++ {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+paths[i%len(paths)], nil)
				if err != nil {
					return
				}
				response, err := client.Do(request)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				h.asked.Add(1)
				if response.StatusCode == http.StatusServiceUnavailable {
					h.turned.Add(1)
				}
			}
		})
	}
	return h
}

func (h *hammer) stop() {
	h.cancel()
	h.group.Wait()
}

// watchers opens so many event streams, as open pages do, and says how many were let in. leave closes them.
func (s *setting) watchers(t *testing.T, count int) (let int, leave func()) {
	t.Helper()
	var all []net.Conn
	for range count {
		conn, err := net.DialTimeout("tcp", s.Admin, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, conn)
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, "GET /api/v1/events HTTP/1.1\r\nHost: "+s.Admin+"\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && response.StatusCode == http.StatusOK {
			let++
		}
	}
	return let, func() {
		for _, conn := range all {
			conn.Close()
		}
	}
}

// adminMost is the share of one processor that the admin side may take, whatever it is asked for. Reads get a tenth, and there are
// the connections, the heads and the refusals.
const adminMost = 0.2

// Fifty pages are left open, and the admin side is asked for everything without a pause: traffic notices as much of it as of the same
// load on another process of the machine, which carries none of the traffic, and the processor time is bounded.
func hammeredAdmin(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	other := setUp(t, process.Options{Binary: binary, Config: configuration}) // the control
	before := s.ledger(t)
	began := time.Now()
	let, leave := s.watchers(t, 50)
	if let < 45 {
		t.Errorf("%d of 50 pages were let in", let)
	}
	_, leaveOther := other.watchers(t, 50)
	defer leaveOther()
	calm, aside, hit := s.aside(nil), s.aside(other), s.aside(s)
	for range 3 { // side by side: what else the machine does is in all of them
		for _, one := range []*hammered{calm, aside, hit} {
			one.play(t)
		}
	}
	all := report{slices.Concat(calm.shots, aside.shots, hit.shots)}
	if len(all.bad()) > 0 {
		t.Errorf("clients saw %s", all.saw())
	}
	// What is left is noise: without bounds on the admin side, half of the requests take twenty times as long.
	for _, c := range []struct {
		quantile float64
		noise    time.Duration
	}{{0.5, 3 * time.Millisecond}, {0.9, 20 * time.Millisecond}, {0.99, 100 * time.Millisecond}} {
		calmly, control, slowly := calm.slowest(c.quantile), aside.slowest(c.quantile), hit.slowest(c.quantile)
		t.Logf("%v: %v, %v while that of another process is hammered, %v while its own is", c.quantile, calmly.Round(time.Microsecond),
			control.Round(time.Microsecond), slowly.Round(time.Microsecond))
		if slowly > 2*max(calmly, control)+c.noise {
			t.Errorf("the quantile %v went from %v, and %v in the control, to %v", c.quantile, calmly, control, slowly)
		}
	}
	took := hit.took.Seconds()/hit.lasted.Seconds() - calm.took.Seconds()/calm.lasted.Seconds()
	if took > adminMost {
		t.Errorf("the admin side took %.0f %% of one processor", 100*took)
	}
	if hit.asked < 50 || aside.asked < 50 {
		t.Errorf("%d and %d answers of the admin sides: that was no hammering", aside.asked, hit.asked)
	}
	t.Logf("%d answers of the admin side, %d said that there are too many; they took %.0f %% of one processor", hit.asked, hit.turned, 100*took)
	leave()
	s.conclude(t, all, began)
	s.account(t, before, all)
}

// hammered is a load while the admin side of one process is hammered, be it that of the process that carries the load, of another one,
// or of none.
type hammered struct {
	report
	carrier, target *setting
	asked, turned   int64
	took, lasted    time.Duration // processor time of the carrier, and how long it was looked at
}

func (s *setting) aside(target *setting) *hammered { return &hammered{carrier: s, target: target} }

// play adds a second of it.
func (h *hammered) play(t *testing.T) {
	t.Helper()
	var hammer *hammer
	if h.target != nil {
		hammer = h.target.hammer(32)
		pass(200 * time.Millisecond) // the burst that the admin side lets through is over
	}
	began, before := time.Now(), h.carrier.Processor(t)
	load := startLoad(t, h.carrier.Address, 300, mixed)
	pass(time.Second)
	h.shots = append(h.shots, load.stop().shots...)
	h.lasted, h.took = h.lasted+time.Since(began), h.took+h.carrier.Processor(t)-before
	if hammer != nil {
		hammer.stop()
		h.asked, h.turned = h.asked+hammer.asked.Load(), h.turned+hammer.turned.Load()
	}
}
