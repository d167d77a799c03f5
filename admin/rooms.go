package admin

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	// readsMost bounds the reads that one listener answers at the same time. Event streams and health are not among them.
	readsMost = 8
	// changesMost bounds its changes. They have places of their own, so that an abort does not wait for readers.
	changesMost = 4
	// streamsMost bounds its event streams.
	streamsMost = 50
	// readsEvery and readsBurst bound how often it answers one: 100 times a second, after a burst of twenty. To show things costs
	// processor time, and traffic has the first claim to that.
	readsEvery = 10 * time.Millisecond
	readsBurst = 20
	// readsRest is how long one that takes long is followed by none, in terms of how long it took: reads get a tenth of one processor.
	// More than readLongest is not counted, because then it was something else that took the time: the client, or who else has work
	// for the processors.
	readsRest   = 10
	readLongest = 5 * time.Millisecond
	// roomTimeout is how long a request waits for a place.
	roomTimeout = 2 * time.Second
)

// eventsPath is where the event stream is.
const eventsPath = "/api/v1/events"

// room has a place for each request that may run.
type room chan struct{}

// rooms bound what runs behind one listener at the same time. Each listener has its own, so that what happens on TCP leaves
// the socket alone.
type rooms struct {
	reads, changes, streams room
	pace                    *pace // of reads
}

func newRooms() rooms {
	return rooms{make(room, readsMost), make(room, changesMost), make(room, streamsMost), &pace{}}
}

// enter finds a place for a request that has been let in. leave gives it back.
func (o *rooms) enter(r *http.Request) (leave func(), p *problem) {
	switch {
	case isHealth(r.URL.Path):
		return func() {}, nil // a few bytes; whoever asks restarts the process when there is no answer
	case isPage(r.URL.Path) && isRead(r.Method):
		return o.reads.enter(r.Context(), roomTimeout) // ready bytes, and a page needs many of them at once: no pace
	case !isRead(r.Method):
		return o.changes.enter(r.Context(), roomTimeout)
	case r.URL.Path == eventsPath || r.URL.Path == livePath:
		return o.streams.enter(r.Context(), 0) // who has a place keeps it
	}
	place, p := o.reads.enter(r.Context(), roomTimeout)
	if p != nil {
		return nil, p
	}
	o.pace.wait(r.Context()) // in its place: who waits for one waits for all of this
	began := time.Now()
	return func() {
		o.pace.charge(time.Since(began))
		place()
	}, nil
}

// pace makes reads follow each other so slowly that they leave the processor to others.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the next one is due, as if there were no bursts
}

// wait waits for the turn of one more read, or until nobody wants it any more.
func (p *pace) wait(ctx context.Context) {
	timer := time.NewTimer(p.take(time.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take gives a read its turn and says how long that is from now. At most as many wait as there are places.
func (p *pace) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-readsBurst * readsEvery); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(readsEvery)
	return max(0, p.next.Sub(now))
}

// charge puts off the reads that come behind one that took long.
func (p *pace) charge(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(max(0, readsRest*min(took, readLongest)-readsEvery)) // it has taken its turn already
}

// enter waits for a place, but not for ever.
func (o room) enter(ctx context.Context, patience time.Duration) (leave func(), p *problem) {
	leave = func() { <-o }
	select {
	case o <- struct{}{}:
		return leave, nil
	default:
	}
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case o <- struct{}{}:
			return leave, nil
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	p = refuse(http.StatusServiceUnavailable, "the admin listener answers %d such requests already, its limit", cap(o))
	p.retry = time.Second
	return nil, p
}
