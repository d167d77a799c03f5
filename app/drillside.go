package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"haldane/proxy"
)

// drillSide is one variant of a drill: a server on a port of its own, on loopback, that notes when it is asked.
type drillSide struct {
	listener net.Listener
	server   *http.Server
	failing  float64
	done     chan struct{}

	mu      sync.Mutex
	arrived []time.Time // guarded by mu: as many as a drill sends at most
	failed  []time.Time // guarded by mu
}

// newDrillSide opens the port and answers there until close.
func newDrillSide(failing float64) (*drillSide, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for a variant of the drill: %w", err)
	}
	s := &drillSide{listener: listener, failing: failing, done: make(chan struct{})}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // it ends with close
	}()
	return s, nil
}

func (s *drillSide) address() string { return s.listener.Addr().String() }

func (s *drillSide) close() {
	_ = s.server.Close()
	<-s.done
}

// ServeHTTP answers a request of the drill; anybody else's is not counted.
func (s *drillSide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != drillHost {
		http.Error(w, "this is a drill", http.StatusMisdirectedRequest)
		return
	}
	now := time.Now()
	fails := rand.Float64() < s.failing
	s.mu.Lock()
	s.arrived = append(s.arrived, now)
	if fails {
		s.failed = append(s.failed, now)
	}
	s.mu.Unlock()
	if fails {
		http.Error(w, "this is a drill", http.StatusInternalServerError)
	}
}

func (s *drillSide) count() uint64 { return s.after(time.Time{}) }

func (s *drillSide) failures() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.failed))
}

func (s *drillSide) first() time.Time { return s.at(func(int) int { return 0 }) }

func (s *drillSide) last() time.Time { return s.at(func(n int) int { return n - 1 }) }

// at is when one of the requests came; zero without any.
func (s *drillSide) at(which func(n int) int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.arrived) == 0 {
		return time.Time{}
	}
	return s.arrived[which(len(s.arrived))]
}

// firstFailure is when the first request failed; zero for never.
func (s *drillSide) firstFailure() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failed) == 0 {
		return time.Time{}
	}
	return s.failed[0]
}

// after counts the requests that came after a moment.
func (s *drillSide) after(moment time.Time) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := uint64(0)
	for _, at := range s.arrived {
		if at.After(moment) {
			n++
		}
	}
	return n
}

// drillFront is where the drill's requests come from and go to.
type drillFront struct {
	listener net.Listener
	client   *http.Client
}

// drillPatience bounds one request of a drill.
const drillPatience = 5 * time.Second

func newDrillFront() (*drillFront, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the drill: %w", err)
	}
	return &drillFront{
		listener: listener,
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: drillWorkers}, Timeout: drillPatience},
	}, nil
}

func (f *drillFront) entrance() proxy.Entrance { return proxy.Entrance{Listener: f.listener} }

func (f *drillFront) close() {
	f.client.CloseIdleConnections()
	_ = f.listener.Close() // the proxy has closed it, if it has run
}

// drillWorkers is how many requests of a drill are under way at most.
const drillWorkers = 8

// load sends requests at a rate until the context ends. What cannot be sent in time is left out, so that a busy machine is not kept busier.
func (f *drillFront) load(ctx context.Context, rate int) error {
	ticks := make(chan struct{})
	var group sync.WaitGroup
	defer group.Wait()
	for range drillWorkers {
		group.Go(func() {
			for range ticks {
				f.ask(ctx)
			}
		})
	}
	defer close(ticks)
	pace := time.NewTicker(time.Second / time.Duration(rate))
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pace.C:
		}
		select {
		case ticks <- struct{}{}:
		default:
		}
	}
}

// ask sends one request. Its outcome is the proxy's to note.
func (f *drillFront) ask(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.listener.Addr().String()+"/", nil)
	if err != nil {
		return
	}
	request.Host = drillHost
	response, err := f.client.Do(request)
	if err != nil {
		return
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = errors.Join(err, response.Body.Close())
}
