package admin

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventsAreStreamed(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		stream, _ := p.greeted(t, "")
		defer stream.conn.Close()
		for n := range uint64(3) {
			f.events <- event(n)
			got := stream.next()
			if got.kind != "step" || !strings.Contains(got.data, fmt.Sprintf(`"sequence":%d,`, n)) || got.id == "" {
				t.Errorf("event %d: %+v", n, got)
			}
		}
	})
}

// A silent stream outlives all limits of the server, and shows every 15 s that it is alive.
func TestSilentStreamPings(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		stream, _ := p.greeted(t, "")
		defer stream.conn.Close()
		start := time.Now()
		for n := 1; n <= 20; n++ {
			if got := stream.next(); got.comment != "ping" {
				t.Fatalf("%+v", got)
			}
			if age, want := time.Since(start), time.Duration(n)*pingEvery; age != want {
				t.Fatalf("ping %d after %v, want %v", n, age, want)
			}
		}
		f.events <- event(7)
		if got := stream.next(); got.kind != "step" {
			t.Errorf("after five minutes: %+v", got)
		}
	})
}

// Who comes back with the last id gets what came in between, and nothing twice.
func TestStreamResumes(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		stream, hello := p.greeted(t, "")
		f.events <- event(1)
		f.events <- event(2)
		first := stream.next()
		_ = stream.conn.Close()
		f.events <- event(3)
		synctest.Wait()
		for _, c := range []struct {
			id   string
			want []int
		}{{hello, []int{1, 2, 3}}, {first.id, []int{2, 3}}} {
			again, _ := p.greeted(t, c.id)
			for _, n := range c.want {
				if got := again.next(); !strings.Contains(got.data, fmt.Sprintf(`"sequence":%d,`, n)) {
					t.Errorf("after %s: %+v, want %d", c.id, got, n)
				}
			}
			_ = again.conn.Close()
		}
	})
}

// An id of another process, or no id at all, says that the state has to be read again.
func TestStreamOfAnotherProcess(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, s *Server, p *pipes) {
		f.events <- event(1)
		synctest.Wait()
		for _, id := range []string{"other-1", "nonsense", s.hub.epoch + "-99", s.hub.epoch + "--1", s.hub.epoch} {
			stream, _ := p.greeted(t, id)
			if got := stream.next(); got.kind != "lost" || got.data != `{"kind":"lost","lost":0}` {
				t.Errorf("id %q: %+v", id, got)
			}
			f.events <- event(2)
			if got := stream.next(); got.kind != "step" || !strings.Contains(got.data, `"sequence":2,`) {
				t.Errorf("id %q: %+v", id, got)
			}
			_ = stream.conn.Close()
		}
	})
}

// A reader that is too slow is told how many events it has lost, and holds nobody up.
func TestSlowReaderIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		stream, _ := p.greeted(t, "")
		defer stream.conn.Close()
		f.events <- event(0)
		synctest.Wait() // the stream is now blocked in writing event 0
		const later = 3 * ringSize
		for n := range uint64(later) {
			f.events <- event(n + 1)
		}
		synctest.Wait()
		if got := stream.next(); !strings.Contains(got.data, `"sequence":0,`) {
			t.Fatalf("%+v", got)
		}
		want := fmt.Sprintf(`{"kind":"lost","lost":%d}`, later-ringSize)
		if got := stream.next(); got.kind != "lost" || got.data != want {
			t.Fatalf("%+v, want %s", got, want)
		}
		for n := later - ringSize + 1; n <= later; n++ {
			if got := stream.next(); !strings.Contains(got.data, fmt.Sprintf(`"sequence":%d,`, n)) {
				t.Fatalf("%+v, want %d", got, n)
			}
		}
	})
}

// A reader that does not read at all is cut off.
func TestStuckReaderIsCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, s *Server, p *pipes) {
		stream, _ := p.greeted(t, "")
		f.events <- event(1)
		start := time.Now()
		for readers := 1; readers > 0; { // the clock of the bubble moves when everybody waits
			time.Sleep(time.Second)
			s.hub.mu.Lock()
			readers = s.hub.readers
			s.hub.mu.Unlock()
		}
		if age := time.Since(start); age < streamTimeout || age > streamTimeout+2*time.Second {
			t.Errorf("cut off after %v", age)
		}
		_ = stream.conn.Close()
	})
}

func TestTooManyStreams(t *testing.T) {
	bubble(t, func(t *testing.T, _ *fake, s *Server, p *pipes) {
		for range readersMost {
			if !s.hub.join() {
				t.Fatal("refused too early")
			}
		}
		conn := p.dial()
		defer conn.Close()
		go func() { _, _ = io.WriteString(conn, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != 503 {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}

// A stopping server ends its streams at once instead of waiting for them.
func TestStopEndsStreams(t *testing.T) {
	s := serve(t, options(newFake()))
	response, err := s.http.Get(s.base + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	start := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > stopTimeout/2 {
		t.Errorf("it took %v", took)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the stream did not end cleanly: %v", err)
	}
}

// The ring against a list that forgets nothing.
func TestHubAgainstList(t *testing.T) {
	h := newHub(4)
	var all []string
	for n := range 40 {
		name := fmt.Sprint(n)
		h.publish(frame{kind: name})
		all = append(all, name)
		for position := range uint64(len(all)) + 1 {
			b := h.read(position)
			kept := max(uint64(len(all))-min(4, uint64(len(all))), position)
			if b.first != kept || b.lost != kept-position || len(b.frames) != len(all)-int(kept) {
				t.Fatalf("%d events, from %d: first %d, lost %d, %d frames", len(all), position, b.first, b.lost, len(b.frames))
			}
			for i, f := range b.frames {
				if f.kind != all[int(kept)+i] {
					t.Fatalf("%d events, from %d: frame %d is %s", len(all), position, i, f.kind)
				}
			}
		}
	}
}
