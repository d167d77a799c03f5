package admin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haldane/admin/live"
	"haldane/config"
	"haldane/rollout"
	"haldane/stats"
)

// watch begins a live stream, and gives back the state that it begins with.
func (p *pipes) watch(t *testing.T, query string) (*follower, string) {
	t.Helper()
	f := p.stream(t, livePath+query, "")
	if first := f.next(); first.retry != "2000" {
		t.Fatalf("the stream begins with %+v", first)
	}
	state := f.next()
	if state.kind != kindState || !json.Valid([]byte(state.data)) || state.id == "" {
		t.Fatalf("the state is %+v", state)
	}
	return f, state.data
}

// until reads a stream up to an event of a kind.
func (f *follower) until(kind string) sse {
	f.t.Helper()
	for range 100 {
		if got := f.next(); got.kind == kind {
			return got
		}
	}
	f.t.Fatalf("no %s in a hundred events", kind)
	return sse{}
}

// The stream of a service begins with everything, and goes on with one row a second, what happens, and the view when it has changed.
func TestLiveService(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, s *Server, p *pipes) {
		variant := stats.NewRegistry(1).Service("shop").Variant("v1")
		s.options.Counter = func(string, string) live.Counter { return variant }
		f.views[0].Stable, f.views[0].Weight = "v1", config.Whole/4
		stream, state := p.watch(t, "?service=shop")
		defer stream.conn.Close()
		for _, want := range []string{`"phase":"progressing"`, `"kind":"started"`, `"rows":[`, `"name":"shop"`, `"version":"v1.2.3"`} {
			if !strings.Contains(state, want) {
				t.Errorf("no %s in %s", want, state)
			}
		}
		for range 3 {
			if row := stream.until(kindRow); !strings.Contains(row.data, ",0.25,0,0,0,0,") {
				t.Errorf("%+v", row)
			}
		}
		f.events <- event(7)
		if got := stream.until(kindEvent); !strings.Contains(got.data, `"sequence":7,`) {
			t.Errorf("%+v", got)
		}
	})
}

// The stream of all services begins with all, those with a rollout first, and tells of a rollout once it has changed.
func TestLiveFleet(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, s *Server, p *pipes) {
		stream, state := p.watch(t, "")
		defer stream.conn.Close()
		if shop, quiet := strings.Index(state, `"service":"shop"`), strings.Index(state, `"service":"quiet"`); shop < 0 || quiet < shop {
			t.Errorf("%s", state)
		}
		if got := stream.until(kindTick); !strings.HasSuffix(got.data, `"rates":{},"rollouts":[]}`) {
			t.Errorf("%s", got.data)
		}
		changed := f.views[0]
		changed.Phase = rollout.PhaseRolledBack
		s.board.mu.Lock() // the board reads the views under its lock
		f.views = []rollout.View{changed}
		s.board.mu.Unlock()
		f.events <- event(8)
		if got := stream.until(kindEvent); !strings.Contains(got.data, `"sequence":8,`) {
			t.Errorf("%+v", got)
		}
		if got := stream.until(kindTick); !strings.Contains(got.data, `"phase":"rolled_back"`) {
			t.Errorf("%s", got.data)
		}
	})
}

// Who does not read gets the whole state again, instead of what was missed; so does everybody when events were lost.
func TestLiveAfterAGap(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		stream, _ := p.watch(t, "?service=shop")
		defer stream.conn.Close()
		for n := range uint64(3 * boardRing) {
			f.events <- event(n)
		}
		synctest.Wait()
		stream.until(kindState)
		f.events <- rollout.Event{Kind: rollout.EventLost, Lost: 3}
		stream.until(kindState)
	})
}

// Nothing is measured, and nobody is asked, while nobody looks and nothing runs; what was looked at is forgotten after a minute.
func TestBoardIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.views[0].Phase = rollout.PhasePromoted
		o := options(f)
		asked := 0
		o.Services = func() []Service { asked++; return []Service{{Name: "shop", Stable: "v1"}} }
		o.Configuration = func() Configuration { asked++; return Configuration{} }
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		b := s.board
		for range 100 {
			b.tick(time.Now())
		}
		if asked != 0 || len(b.topics) != 0 || b.fleet != nil {
			t.Errorf("%d questions, %d topics", asked, len(b.topics))
		}
		for _, name := range []string{"shop", ""} {
			b.join(name).feed().leave()
		}
		for range lingerTicks + 1 {
			b.tick(time.Now())
		}
		if len(b.topics) != 0 || b.fleet != nil {
			t.Errorf("%d topics after a minute", len(b.topics))
		}
	})
}

// A running rollout is measured without a reader, so that whoever is called finds what has happened; of many only some are.
func TestRunningRolloutsAreMeasured(t *testing.T) {
	f := newFake()
	f.views = nil
	for n := range 3 * runningMost {
		f.views = append(f.views, rollout.View{Service: fmt.Sprint("s", n), Stable: "v1", Phase: rollout.PhaseProgressing})
	}
	s, err := New(options(f))
	if err != nil {
		t.Fatal(err)
	}
	s.board.tick(time.Now())
	if got := len(s.board.topics); got != runningMost {
		t.Errorf("%d are measured", got)
	}
	e := rollout.Event{Phase: rollout.PhaseRolledBack}
	for name := range s.board.topics {
		e.Service = name
		break
	}
	s.board.event(&e, nil)
	if _, running := s.board.running[e.Service]; running {
		t.Errorf("%s still runs", e.Service)
	}
}

// When the next release begins, what was measured of another variant is neither remembered nor left on pages.
func TestOtherVariantsAreMeasuredAnew(t *testing.T) {
	f := newFake()
	f.views[0].Stable, f.views[0].Canary = "v1", "v2"
	o, registry := options(f), stats.NewRegistry(1)
	o.Services = func() []Service { return []Service{{Name: "shop", Stable: "v1"}} }
	o.Counter = func(service, variant string) live.Counter { return registry.Service(service).Variant(variant) }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	topic, now := newTopic(&s.options, "shop"), time.Unix(1e9, 0)
	rows := func(stable, canary string, seconds int) (n int) {
		f.views[0].Stable, f.views[0].Canary = stable, canary
		for range seconds {
			now = now.Add(time.Second)
			topic.moved = true
			topic.tick(now, false)
		}
		for range topic.track.All {
			n++
		}
		return n
	}
	if n := rows("v1", "v2", 4); n != 3 || topic.outdated {
		t.Errorf("%d rows at first; pages are outdated: %v", n, topic.outdated)
	}
	if n := rows("v1", "v3", 2); n < 4 || !topic.outdated {
		t.Errorf("%d rows with another canary; pages are outdated: %v", n, topic.outdated)
	}
	if n := rows("v3", "v4", 3); n > 3 {
		t.Errorf("%d rows with another stable", n)
	}
}

// A configuration that was loaded is a new state, and a failed attempt is told.
func TestLiveConfiguration(t *testing.T) {
	bubble(t, func(t *testing.T, _ *fake, s *Server, p *pipes) {
		began := time.Now()
		status := Configuration{OK: true, Attempted: began, Loaded: began}
		s.options.Configuration = func() Configuration { return status } // the bubble has one clock, and nobody ticks while it is set
		stream, _ := p.watch(t, "")
		defer stream.conn.Close()
		stream.until(kindTick)
		s.board.mu.Lock()
		status.OK, status.Error, status.Attempted = false, "line 3", began.Add(time.Second)
		s.board.mu.Unlock()
		if got := stream.until(kindConfig); !strings.Contains(got.data, "line 3") {
			t.Errorf("%s", got.data)
		}
		s.board.mu.Lock()
		status.OK, status.Error, status.Attempted, status.Loaded = true, "", began.Add(time.Minute), began.Add(time.Minute)
		s.board.mu.Unlock()
		if got := stream.until(kindState); !strings.Contains(got.data, `"ok":true`) {
			t.Errorf("%s", got.data)
		}
	})
}

// A service that there is not is no stream.
func TestLiveOfNobody(t *testing.T) {
	s, _ := full(t)
	if got := s.get(livePath + "?service=none"); got.status != 404 {
		t.Errorf("%d", got.status)
	} else {
		got.problem(t)
	}
}
