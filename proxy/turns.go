package proxy

import (
	"slices"
	"sync"
	"time"
)

// turns lets a number of requests in at a time, and the others in the order in which they came. How many is said anew with
// every call, because it may change. It may be used by any number of goroutines.
type turns struct {
	mu      sync.Mutex
	inside  int
	waiting []chan struct{} // closed when the turn has come
}

// take takes a place, if one is free and nobody waits for it.
func (t *turns) take(room int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inside >= room || len(t.waiting) > 0 {
		return false
	}
	t.inside++
	return true
}

// leave gives a place back. Whoever has waited longest gets it.
func (t *turns) leave(room int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inside--
	for len(t.waiting) > 0 && t.inside < room {
		close(t.waiting[0])
		t.waiting = slices.Delete(t.waiting, 0, 1)
		t.inside++
	}
}

// queued is what became of a wait for a place.
type queued uint8

const (
	queueServed queued = iota // the place is taken
	queueFull                 // no room to wait
	queueLate                 // the turn did not come in time
)

// queueTerms are the terms of a wait.
type queueTerms struct {
	room  int           // places
	line  int           // how many may wait
	limit time.Duration // how long one may wait
}

// wait takes a place, and waits for its turn when none is free. Without anybody inside there is nobody to wait for.
func (t *turns) wait(terms queueTerms) queued {
	if t.take(terms.room) {
		return queueServed
	}
	t.mu.Lock()
	if t.inside < terms.room && len(t.waiting) == 0 {
		t.inside++
		t.mu.Unlock()
		return queueServed
	}
	if t.inside == 0 || len(t.waiting) >= terms.line || terms.limit <= 0 {
		t.mu.Unlock()
		return queueFull
	}
	turn := make(chan struct{})
	t.waiting = append(t.waiting, turn)
	t.mu.Unlock()

	timer := time.NewTimer(terms.limit)
	defer timer.Stop()
	select {
	case <-turn:
		return queueServed
	case <-timer.C:
		return t.withdraw(turn)
	}
}

// withdraw leaves the queue, unless the turn has come in the meantime.
func (t *turns) withdraw(turn chan struct{}) queued {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, turn)
	if i < 0 {
		return queueServed
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	return queueLate
}

// len is how many are inside, and how many wait.
func (t *turns) len() (inside, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inside, len(t.waiting)
}
