package admin

import (
	"context"
	"net/http"
	"time"
)

const (
	// readsMost bounds the reads that one listener answers at the same time. Event streams and health are not among them.
	readsMost = 8
	// changesMost bounds its changes. They have places of their own, so that an abort does not wait for readers.
	changesMost = 4
	// streamsMost bounds its event streams.
	streamsMost = 50
	// roomTimeout is how long a request waits for a place.
	roomTimeout = 2 * time.Second
)

// eventsPath is where the event stream is.
const eventsPath = "/api/v1/events"

// room has a place for each request that may run.
type room chan struct{}

// rooms bound what runs behind one listener at the same time. Each listener has its own, so that what happens on TCP leaves
// the socket alone.
type rooms struct{ reads, changes, streams room }

func newRooms() rooms {
	return rooms{make(room, readsMost), make(room, changesMost), make(room, streamsMost)}
}

// enter finds a place for a request that has been let in. leave gives it back.
func (o *rooms) enter(r *http.Request) (leave func(), p *problem) {
	switch {
	case isHealth(r.URL.Path):
		return func() {}, nil // a few bytes; whoever asks restarts the process when there is no answer
	case !isRead(r.Method):
		return o.changes.enter(r.Context(), roomTimeout)
	case r.URL.Path == eventsPath:
		return o.streams.enter(r.Context(), 0) // who has a place keeps it
	}
	return o.reads.enter(r.Context(), roomTimeout)
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
