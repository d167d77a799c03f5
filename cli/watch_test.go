package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haldane/rollout"
)

// scripted is an admin side whose streams are written by the test. It runs over pipes, so that it keeps to the clock of a
// test bubble.
type scripted struct {
	t           *testing.T
	connections chan net.Conn
	streams     chan *script
	mu          sync.Mutex
	status      int // of /api/v1/rollouts; 0 is 200
	reads       int
}

// script is one open stream.
type script struct {
	lastID string
	lines  chan string   // what is to be written
	done   chan struct{} // closing it ends the stream
	ended  chan struct{} // closed once nothing is written any more
}

// say writes to the stream. What is said to nobody is lost.
func (s *script) say(text string) {
	select {
	case s.lines <- text:
	case <-s.ended:
	}
}

// play writes what the test says until one side ends.
func (s *script) play(ctx context.Context, w http.ResponseWriter) {
	defer close(s.ended)
	for {
		select {
		case text := <-s.lines:
			_, _ = w.Write([]byte(text))
			_ = http.NewResponseController(w).Flush()
		case <-s.done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// event writes one event.
func (s *script) event(id int, e rollout.Event) {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	s.say(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", id, e.Kind, data))
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/v1/rollouts", "/api/v1/rollouts/shop":
		s.mu.Lock()
		status := s.status
		s.reads++
		s.mu.Unlock()
		if status != 0 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"detail":"stopping"}`))
			return
		}
		view := shop()
		var answer any = rolloutList{[]rollout.View{view}}
		if strings.HasSuffix(r.URL.Path, "shop") {
			answer = view
		}
		_ = json.NewEncoder(w).Encode(answer)
	case "/api/v1/events":
		open := &script{lastID: r.Header.Get("Last-Event-ID"), lines: make(chan string), done: make(chan struct{}), ended: make(chan struct{})}
		_, _ = w.Write([]byte("retry: 2000\n\nid: 0\nevent: hello\ndata: {}\n\n"))
		_ = http.NewResponseController(w).Flush()
		select {
		case s.streams <- open:
		case <-r.Context().Done():
			return
		}
		open.play(r.Context(), w)
	}
}

func (s *scripted) Accept() (net.Conn, error) {
	c, ok := <-s.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (s *scripted) Close() error   { return nil }
func (s *scripted) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// paper is what was printed.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

// take is what was printed since the last call.
func (p *paper) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.text.Reset()
	return p.text.String()
}

// watched runs a watch against a scripted admin side. test gets the server and what was printed so far; what is printed after that comes
// back.
func watched(t *testing.T, w *watch, c connection, test func(s *scripted, printed func() (stdout, stderr string))) (rest string) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{t: t, connections: make(chan net.Conn), streams: make(chan *script)}
		server := &http.Server{Handler: s}
		var group sync.WaitGroup
		group.Go(func() { _ = server.Serve(s) })
		var stdout, stderr paper
		c.env = env{stdout: &stdout, stderr: &stderr, zone: time.UTC, getenv: func(string) (string, bool) { return "", false }}
		w.connection = &c
		w.api = &client{base: "http://localhost", where: "pipe", http: newHTTPClient(func(ctx context.Context, _, _ string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			select {
			case s.connections <- theirs:
				return ours, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, nil)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.run(ctx) }()
		test(s, func() (string, string) {
			synctest.Wait()
			return stdout.take(), stderr.take()
		})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch ends with %v", err)
		}
		rest = stdout.take()
		w.api.close()
		close(s.connections)
		_ = server.Close()
		group.Wait()
	})
	return rest
}

// paused is an event of a service.
func paused(service string) rollout.Event {
	return rollout.Event{Time: moment(0), Service: service, Kind: rollout.EventPaused, Step: 1, Weight: 5 * onePart, Reason: "lunch", Numbers: "canary 0 % failed"}
}

const pausedLine = "03:02:01  shop  paused  step 2  5%  lunch [canary 0 % failed]\n"

// Elsewhere than on a terminal every event is a line.
func TestWatchPlain(t *testing.T) {
	watched(t, &watch{}, connection{output: formatTable}, func(s *scripted, printed func() (string, string)) {
		stream := <-s.streams
		if first, _ := printed(); first != "" {
			t.Errorf("it begins with %q, and that is no event", first)
		}
		stream.event(1, paused("shop"))
		stream.event(2, paused("cart"))
		if got, _ := printed(); got != pausedLine+strings.Replace(pausedLine, "shop", "cart", 1) {
			t.Errorf("%q", got)
		}
		stream.event(3, rollout.Event{Kind: rollout.EventLost, Lost: 4})
		if _, got := printed(); got != "haldane: events were lost; the history has them; still watching\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestWatchOneService(t *testing.T) {
	watched(t, &watch{service: "shop"}, connection{output: formatJSON}, func(s *scripted, printed func() (string, string)) {
		stream := <-s.streams
		stream.event(1, paused("cart"))
		stream.event(2, paused("shop"))
		got, _ := printed()
		var event rollout.Event
		if err := json.Unmarshal([]byte(got), &event); err != nil || event.Service != "shop" || strings.Count(got, "\n") != 1 {
			t.Errorf("%v: %q", err, got)
		}
	})
}

// A stream that breaks is made again from where it broke, and complained about once.
func TestWatchComesBack(t *testing.T) {
	watched(t, &watch{}, connection{output: formatTable}, func(s *scripted, printed func() (string, string)) {
		stream := <-s.streams
		stream.event(7, paused("shop"))
		_, _ = printed()
		start := time.Now()
		close(stream.done)
		if _, got := printed(); got != "haldane: the connection to pipe ended; still watching\n" {
			t.Errorf("%q", got)
		}
		stream = <-s.streams
		if stream.lastID != "7" || time.Since(start) != reconnectAfter {
			t.Errorf("resumed from %q after %v", stream.lastID, time.Since(start))
		}
		stream.event(8, paused("shop"))
		if got, _ := printed(); got != pausedLine {
			t.Errorf("%q", got)
		}
	})
}

// A stream on which not even pings come is given up.
func TestWatchNoticesSilence(t *testing.T) {
	watched(t, &watch{}, connection{output: formatTable}, func(s *scripted, _ func() (string, string)) {
		stream := <-s.streams
		start := time.Now()
		for range 10 {
			time.Sleep(silence - time.Second) // the clock of the bubble
			stream.say(": ping\n\n")
		}
		<-s.streams
		if got, want := time.Since(start), 10*(silence-time.Second)+silence+reconnectAfter; got != want {
			t.Errorf("given up after %v, want %v", got, want)
		}
	})
}

// On a terminal the screen is taken, drawn every second and with every event, shows what is wrong, and is given back.
func TestWatchDraws(t *testing.T) {
	rest := watched(t, &watch{draw: true}, connection{output: formatTable}, func(s *scripted, printed func() (string, string)) {
		stream := <-s.streams
		drawn := func(what string, frames int, parts ...string) {
			t.Helper()
			got, _ := printed()
			if n := strings.Count(got, toTop); n != frames {
				t.Errorf("%s: %d frames, want %d", what, n, frames)
			}
			for _, part := range parts {
				if !strings.Contains(got, part) {
					t.Errorf("%s: no %q in %q", what, part, got)
				}
			}
		}
		drawn("at first", 1, enterScreen, "v1 -> v2", "weight")
		stream.event(1, paused("shop"))
		drawn("after an event", 1, "v1 -> v2")
		time.Sleep(3*redrawEvery + redrawEvery/2) // the clock of the bubble
		drawn("after 3 s", 3, "v1 -> v2")
		s.mu.Lock()
		s.status = http.StatusServiceUnavailable
		s.mu.Unlock()
		time.Sleep(redrawEvery)
		drawn("while it stops", 1, "stopping", "v1 -> v2")
	})
	if rest != leaveScreen {
		t.Errorf("at the end %q", rest)
	}
}

func TestReadMessages(t *testing.T) {
	const text = "retry: 5\n\n: ping\n\nid: 1\nevent: a\ndata: x\ndata:y\n\nevent: b\n\ndata:  z\n\ndata: cut"
	var got []string
	err := readMessages(bufio.NewScanner(strings.NewReader(text)), func() {}, func(m message) {
		got = append(got, fmt.Sprintf("%s %s %q", m.id, m.kind, m.data))
	})
	want := `1 a "x\ny"|1  " z"`
	if err != nil || strings.Join(got, "|") != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}
