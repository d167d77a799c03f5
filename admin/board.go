package admin

import (
	"context"
	"sync"
	"time"

	"haldane/rollout"
)

const (
	// boardEvery is how often the board is brought up to date.
	boardEvery = time.Second
	// boardRing is how many updates are kept for a reader that is slow. Who is slower gets the whole state again.
	boardRing = 32
	// lingerTicks is for how long a subject is measured after the last reader has left: whoever comes back finds no gap.
	lingerTicks = 60
	// runningMost is how many running rollouts are measured while nobody looks, so that whoever is called finds what has happened.
	runningMost = 32
)

// board is what the dashboard shows of traffic and rollouts as it happens. It has two kinds of subjects: one service, and the fleet of all. A subject
// is measured while somebody looks; only a few running rollouts are measured always. Each update is encoded once, for all its readers.
type board struct {
	options *Options

	mu      sync.Mutex
	topics  map[string]*topic   // by service
	fleet   *fleet              // nil while nobody looks
	running map[string]struct{} // services whose users are on a canary
	stale   bool                // running has to be read again
	status  Configuration       // as it was shown last
}

func newBoard(options *Options) *board {
	return &board{options: options, topics: make(map[string]*topic), running: make(map[string]struct{}), stale: true}
}

// run brings the board up to date until its context ends.
func (b *board) run(ctx context.Context) {
	ticker := time.NewTicker(boardEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.tick(now)
		}
	}
}

// tick measures, and publishes what has changed.
func (b *board) tick(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow()
	reloaded, changed := b.checkStatus()
	for name, t := range b.topics {
		_, running := b.running[name]
		if !t.wanted(running) {
			delete(b.topics, name)
			continue
		}
		t.tick(now, reloaded)
		if changed {
			t.hub.publish(frame{kind: kindConfig, data: encoded(b.status)})
		}
	}
	if b.fleet == nil {
		return
	}
	if !b.fleet.wanted() {
		b.fleet = nil
		return
	}
	b.fleet.tick(now, b.topics, reloaded)
	if changed {
		b.fleet.hub.publish(frame{kind: kindConfig, data: encoded(b.status)})
	}
}

// follow has a topic for the running rollouts that are measured always.
func (b *board) follow() {
	if b.stale {
		b.stale = false
		clear(b.running)
		for _, view := range b.options.Rollouts.Views() {
			b.note(view.Service, view.Phase)
		}
	}
	for name := range b.running {
		if len(b.topics) >= runningMost {
			return
		}
		if b.topics[name] == nil {
			b.topics[name] = newTopic(b.options, name)
		}
	}
}

// note remembers whether users of a service are on a canary.
func (b *board) note(service string, phase rollout.Phase) {
	switch phase {
	case rollout.PhaseProgressing, rollout.PhasePaused, rollout.PhaseBaking:
		b.running[service] = struct{}{}
	default:
		delete(b.running, service)
	}
}

// checkStatus says whether another configuration is in force, and whether anything about it has changed. Nobody asks for it while nobody looks.
func (b *board) checkStatus() (reloaded, changed bool) {
	if len(b.topics) == 0 && b.fleet == nil {
		return false, false
	}
	before := b.status
	b.status = b.options.Configuration()
	first := before.Attempted.IsZero()
	return !first && !b.status.Loaded.Equal(before.Loaded), !first && !b.status.Attempted.Equal(before.Attempted)
}

// event tells those who look at its service, and those who look at all.
func (b *board) event(e *rollout.Event, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Kind == rollout.EventLost {
		b.stale = true
		for _, t := range b.topics {
			t.outdated = true
		}
		if b.fleet != nil {
			b.fleet.outdated = true
		}
		return
	}
	b.note(e.Service, e.Phase)
	f := frame{kind: kindEvent, data: data}
	if t := b.topics[e.Service]; t != nil {
		t.moved = true
		t.hub.publish(f)
	}
	if b.fleet != nil {
		b.fleet.dirty[e.Service] = struct{}{}
		b.fleet.hub.publish(f)
	}
}

// subject is what a stream is about.
type subject interface {
	// feed is where its updates come from.
	feed() *hub
	// state is all that there is to know, as JSON.
	state() []byte
}

// join finds the subject of a service, or of all for an empty name. It must be left.
func (b *board) join(service string) subject {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s subject
	if service == "" {
		if b.fleet == nil {
			b.fleet = newFleet(b.options, b.topics)
		}
		s = b.fleet
	} else {
		if b.topics[service] == nil {
			b.topics[service] = newTopic(b.options, service)
		}
		s = b.topics[service]
	}
	if b.status.Attempted.IsZero() {
		b.status = b.options.Configuration()
	}
	if !s.feed().join() {
		return nil
	}
	return s
}

// read is the whole state of a subject, and the position of the updates that come after it.
func (b *board) read(s subject) (state []byte, position uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return s.state(), s.feed().end()
}
