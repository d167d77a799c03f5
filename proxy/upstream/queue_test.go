package upstream

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// queued is an endpoint with one connection, which is in use, and a queue.
func queued(t *testing.T, q Queue, scripts ...func(*peer)) (e *Endpoint, held *Response) {
	t.Helper()
	if len(scripts) == 0 {
		scripts = []func(*peer){answer(okText)}
	}
	e = serve(t, scripts...).endpoint(func(o *Options) { o.MaxConnections, o.Queue = 1, q })
	held, err := e.RoundTrip(get(), Exchange{})
	if err != nil {
		t.Fatal(err)
	}
	return e, held
}

// read reads a response to its end and closes it.
func read(t *testing.T, r *Response) {
	t.Helper()
	if _, err := r.WriteTo(discard{}); err != nil {
		t.Error(err)
	}
	r.Close()
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// eventually polls a condition that another goroutine brings about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for tick := time.NewTicker(time.Millisecond); !holds(); {
		select {
		case <-timeout:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// join starts an exchange that has to wait, and returns when it does.
func join(t *testing.T, e *Endpoint, o Exchange) <-chan error {
	t.Helper()
	before := e.Load().Waiting
	done := make(chan error, 1)
	go func() {
		_, _, err := fetch(e, get(), o)
		done <- err
	}()
	eventually(t, "an exchange joins the queue", func() bool { return e.Load().Waiting == before+1 })
	return done
}

func TestTheQueueIsServedInOrder(t *testing.T) {
	for name, script := range map[string]func(*peer){
		"a connection that is kept": answer(okText),
		"connections that end": func(p *peer) {
			p.request()
			p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, held := queued(t, Queue{Size: 5, Timeout: patience}, script)
			var order []int
			var mu sync.Mutex
			var users sync.WaitGroup
			for i := range 5 {
				users.Go(func() {
					r, err := e.RoundTrip(get(), Exchange{})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
					read(t, r)
				})
				eventually(t, "the queue grows", func() bool { return e.Load().Waiting == i+1 })
			}
			_, _, err := fetch(e, get(), Exchange{})
			wantKind(t, err, KindFull)
			read(t, held)
			users.Wait()
			for i := range order {
				if order[i] != i {
					t.Fatalf("served in the order %v", order)
				}
			}
			if l := e.Load(); l.Waits != 5 || l.Overflows != 1 || l.Waiting != 0 {
				t.Errorf("%+v", l)
			}
		})
	}
}

func TestNobodyWaitsLongerThanTheTimeout(t *testing.T) {
	e, held := queued(t, Queue{Size: 5, Timeout: 30 * time.Millisecond})
	defer held.Close()
	begun := time.Now()
	_, _, err := fetch(e, get(), Exchange{})
	wantKind(t, err, KindFull)
	if waited := time.Since(begun); waited < 30*time.Millisecond {
		t.Errorf("waited only %v", waited)
	}
	_, _, err = fetch(e, get(), Exchange{Deadline: time.Now().Add(10 * time.Millisecond)})
	wantKind(t, err, KindTimeout)
	if l := e.Load(); l.Waiting != 0 || l.Overflows != 2 || l.Open != 1 {
		t.Errorf("%+v", l)
	}
}

func TestAnAbortLeavesTheQueue(t *testing.T) {
	e, held := queued(t, Queue{Size: 5, Timeout: patience})
	var abort Abort
	done := join(t, e, Exchange{Abort: &abort})
	abort.Fire()
	wantKind(t, within(t, done), KindAborted)
	_, _, err := fetch(e, get(), Exchange{Abort: &abort}) // fired before
	wantKind(t, err, KindAborted)
	if l := e.Load(); l.Waiting != 0 {
		t.Errorf("%+v", l)
	}
	read(t, held)
	wantConnections(t, e, 1, 1)
}

// switchable is a gate that may be closed at any time.
type switchable struct{ closed atomic.Bool }

func (s *switchable) Revoked() bool { return s.closed.Load() }

func TestTheGateIsAskedAfterTheQueue(t *testing.T) {
	var requests atomic.Int32
	e, held := queued(t, Queue{Size: 5, Timeout: patience}, func(p *peer) {
		for p.request() != nil {
			requests.Add(1)
			p.send(okText)
		}
	})
	var g switchable
	done := join(t, e, Exchange{Gate: &g})
	g.closed.Store(true)
	read(t, held)
	wantKind(t, within(t, done), KindRevoked)
	mustFetch(t, e, get())
	if n := requests.Load(); n != 2 {
		t.Errorf("the endpoint got %d requests, want 2", n)
	}
	wantConnections(t, e, 1, 1)
}

// Also when the endpoint of the queue is closed by a reload, those who wait are served.
func TestTheQueueOutlivesTheEndpoint(t *testing.T) {
	e, held := queued(t, Queue{Size: 5, Timeout: patience})
	done := join(t, e, Exchange{})
	e.Close()
	read(t, held)
	if err := within(t, done); err != nil {
		t.Error(err)
	}
	wantConnections(t, e, 0, 0)
}

func TestAConnectionThatDiesIsReplacedForTheQueue(t *testing.T) {
	e, held := queued(t, Queue{Size: 5, Timeout: patience}, func(p *peer) {
		p.request()
		p.send(okText + "HTTP/1.1 200 OK\r\n\r\nPOISON")
	}, answer(okText))
	done := join(t, e, Exchange{})
	read(t, held)
	if err := within(t, done); err != nil {
		t.Error(err)
	}
	wantConnections(t, e, 1, 1)
}

// Many wait, some give up at any moment; no place is lost and none is given away twice.
func TestTheQueueLosesNothing(t *testing.T) {
	s := serve(t, echo)
	e := s.endpoint(func(o *Options) { o.MaxConnections, o.Queue = 3, Queue{Size: 100, Timeout: patience} })
	var users sync.WaitGroup
	var served atomic.Int32
	for user := range 16 {
		users.Go(func() {
			random := rand.New(rand.NewPCG(uint64(user), 1))
			for range 100 {
				o := Exchange{Abort: new(Abort)}
				switch random.IntN(4) {
				case 0:
					timer := time.AfterFunc(time.Duration(random.IntN(500))*time.Microsecond, o.Abort.Fire)
					defer timer.Stop()
				case 1:
					o.Deadline = time.Now().Add(time.Duration(random.IntN(500)) * time.Microsecond)
				}
				if _, _, err := fetch(e, get(), o); err == nil {
					served.Add(1)
				} else if o.Deadline.IsZero() && !o.Abort.Fired() {
					t.Error(err)
				}
				if l := e.Load(); l.Open > 3 {
					t.Errorf("%d connections", l.Open)
				}
			}
		})
	}
	users.Wait()
	if l := e.Load(); l.Open != l.Idle || l.Waiting != 0 || l.Waits == 0 || served.Load() < 800 {
		t.Errorf("%+v, %d served", l, served.Load())
	}
}
