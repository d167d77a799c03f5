package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ask sends one request over pipes and gives back the status.
func (p *pipes) ask(t *testing.T, method, path string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil },
	}}
	request, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK && path == eventsPath {
		return response.StatusCode // it has no end
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusServiceUnavailable && (response.Header.Get("Retry-After") != "1" || !strings.Contains(string(text), "its limit")) {
		t.Errorf("Retry-After %q: %s", response.Header.Get("Retry-After"), text)
	}
	return response.StatusCode
}

// fill takes all places.
func (o room) fill() {
	for len(o) < cap(o) {
		o <- struct{}{}
	}
}

// Each kind of request runs out of places alone, and each listener alone.
func TestPlacesAreSeparate(t *testing.T) {
	const read, change = "/api/v1/rollouts", "/api/v1/rollouts/shop/pause"
	for name, full := range map[string]func(*rooms) room{
		"reads": func(o *rooms) room { return o.reads }, "changes": func(o *rooms) room { return o.changes },
		"streams": func(o *rooms) room { return o.streams },
	} {
		bubble(t, func(t *testing.T, _ *fake, s *Server, _ *pipes) {
			busy, other := newPipes(), newPipes()
			d := socketDoor()
			full(&d.rooms).fill()
			defer runAlone(t, s.newEntry(busy, d))()
			defer runAlone(t, s.newEntry(other, socketDoor()))()
			for _, c := range []struct{ kind, method, path string }{
				{"reads", "GET", read},
				{"reads", "GET", "/metrics"},
				{"changes", "POST", change},
				{"streams", "GET", eventsPath},
				{"health", "GET", "/healthz"},
				{"health", "GET", "/readyz"},
			} {
				want := 200
				if c.kind == name {
					want = 503
				}
				start := time.Now()
				if got := busy.ask(t, c.method, c.path); got != want {
					t.Errorf("%s full: %s %s is %d", name, c.method, c.path, got)
				}
				waited := time.Since(start)
				if patient := c.kind == name && name != "streams"; (waited == roomTimeout) != patient {
					t.Errorf("%s full: %s %s waited %v", name, c.method, c.path, waited)
				}
				if got := other.ask(t, c.method, c.path); got != 200 {
					t.Errorf("the other listener: %s %s is %d", c.method, c.path, got)
				}
			}
		})
	}
}

// runAlone serves one listener until stop is called.
func runAlone(t *testing.T, e *entry) (stop func()) {
	done := make(chan error, 1)
	go func() { done <- e.serve() }()
	return func() {
		if err := e.server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Who waits gets the place that comes free; who leaves waits no longer; and what is given back is given back once.
func TestWaitingForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := make(room, 2)
		first, _ := o.enter(t.Context(), 0)
		second, _ := o.enter(t.Context(), 0)
		if _, p := o.enter(t.Context(), 0); p == nil || p.Status != 503 {
			t.Errorf("%+v", p)
		}
		go func() { time.Sleep(time.Second); first() }()
		start := time.Now()
		third, p := o.enter(t.Context(), roomTimeout)
		if p != nil || time.Since(start) != time.Second {
			t.Fatalf("%+v after %v", p, time.Since(start))
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, p := o.enter(gone, roomTimeout); p == nil || time.Since(start) != time.Second {
			t.Errorf("%+v after %v", p, time.Since(start))
		}
		second()
		third()
		if len(o) != 0 {
			t.Errorf("%d places are taken", len(o))
		}
	})
}

// A burst of reads is answered at once; those who go on without a pause get so many a second, and whoever pauses has a burst again.
func TestReadsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		read := func(times int) time.Duration {
			start := time.Now()
			for range times {
				p.wait(t.Context())
			}
			return time.Since(start)
		}
		for _, c := range []struct {
			pause time.Duration
			reads int
			took  time.Duration
		}{
			{0, readsBurst, 0},
			{0, 10, 10 * readsEvery},
			{5 * readsEvery, 5, 0},
			{0, 1, readsEvery},
			{time.Hour, readsBurst + 1, readsEvery},
		} {
			time.Sleep(c.pause)
			if took := read(c.reads); took != c.took {
				t.Errorf("%d reads after %v took %v, want %v", c.reads, c.pause, took, c.took)
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if p.wait(gone); time.Since(start) != 0 {
			t.Error("who has left is waited for")
		}
	})
}

// Reads that take long are followed by a rest of ten times that, so that they get a tenth of one processor; what takes very long does
// not stop all others.
func TestReadsArePacedByWhatTheyTake(t *testing.T) {
	for _, c := range []struct{ each, apart time.Duration }{
		{0, readsEvery},
		{time.Millisecond, readsEvery},
		{4 * time.Millisecond, 40 * time.Millisecond},
		{time.Minute, 50 * time.Millisecond},
	} {
		var p pace
		now := time.Unix(1_000_000, 0)
		var last time.Duration
		for range 100 {
			last = p.take(now)
			p.charge(c.each)
		}
		// The burst is as long as it was, whatever the reads took.
		if want := 99*c.apart + readsEvery - readsBurst*readsEvery; last != want {
			t.Errorf("reads of %v: the hundredth comes after %v, want %v", c.each, last, want)
		}
	}
}

// Every request gives its place back, also when its handler panics.
func TestPlacesAreGivenBack(t *testing.T) {
	f := newFake()
	o := options(f)
	o.Config.Socket = socketPath(t)
	o.Services = func() []Service { panic("bug") }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	d := socketDoor()
	handler := s.enter(d, s.newRoutes(d))
	for range 3 * readsMost {
		for path, want := range map[string]int{"/api/v1/services": 500, "/api/v1/rollouts": 200, "/none": 404} {
			if got := record(handler, "GET", path); got != want {
				t.Fatalf("%s: %d", path, got)
			}
		}
		if got := record(handler, "POST", "/api/v1/rollouts/shop/pause"); got != 200 {
			t.Fatalf("%d", got)
		}
	}
	if len(d.rooms.reads)+len(d.rooms.changes)+len(d.rooms.streams) != 0 {
		t.Errorf("%d, %d, %d places are taken", len(d.rooms.reads), len(d.rooms.changes), len(d.rooms.streams))
	}
}
