package faults

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
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

// Fifty pages are left open, and the admin side is asked for everything without a pause: traffic notices the processor that takes, and
// nothing else.
func hammeredAdmin(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	began := time.Now()
	var all report
	measure := func(d time.Duration) report {
		load := startLoad(t, s.Address, rate, mixed)
		pass(d)
		r := load.stop()
		all.shots = append(all.shots, r.shots...)
		return r
	}
	let, leave := s.watchers(t, 50)
	if let < 45 {
		t.Errorf("%d of 50 pages were let in", let)
	}
	calm, hit := report{}, report{}
	asked, turned := int64(0), int64(0)
	for range 2 { // side by side: what else the machine does is in both
		calm.shots = append(calm.shots, measure(time.Second).shots...)
		h := s.hammer(32)
		hit.shots = append(hit.shots, measure(time.Second).shots...)
		h.stop()
		asked, turned = asked+h.asked.Load(), turned+h.turned.Load()
	}
	if len(all.bad()) > 0 {
		t.Errorf("clients saw %s", all.saw())
	}
	// What is left is noise: without bounds on the admin side, half of the requests take twenty times as long.
	for quantile, noise := range map[float64]time.Duration{0.5: 5 * time.Millisecond, 0.99: 150 * time.Millisecond} {
		calmly, slowly := calm.slowest(quantile), hit.slowest(quantile)
		t.Logf("%v: %v, and %v while the admin side is hammered", quantile, calmly.Round(time.Microsecond), slowly.Round(time.Microsecond))
		if slowly > 3*calmly+noise {
			t.Errorf("the quantile %v went from %v to %v", quantile, calmly, slowly)
		}
	}
	if asked < 50 {
		t.Errorf("%d answers of the admin side: that was no hammering", asked)
	}
	t.Logf("%d answers of the admin side, %d said that there are too many", asked, turned)
	leave()
	s.conclude(t, all, began)
	s.account(t, before, all)
}
