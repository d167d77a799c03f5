package admin

import (
	"context"
	"net/http"
	"time"

	"haldane/admin/live"
)

// livePath is where a page learns what happens, second by second.
const livePath = "/api/v1/live"

// The kinds of events on a live stream. A stream begins with the whole state, and so does what comes after a gap, so that a client that
// connects again, to this process or to the next one, is right at once.
const (
	// kindState is all there is to know of the subject.
	kindState = "state"
	// kindView is the rollout of the service, without its history.
	kindView = "view"
	// kindRow is one more second of the service, kindTick one of all services with the rollouts that have changed.
	kindRow  = "row"
	kindTick = "tick"
	// kindEvent is something that happened to a rollout.
	kindEvent = "event"
	// kindConfig is what became of the latest attempt to load the configuration.
	kindConfig = "config"
)

// live streams what happens to one service, or with no query to all (WHATWG HTML, server-sent events).
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	service := r.URL.Query().Get("service")
	if service != "" && s.options.entry(service).Name == "" {
		return s.nobody(service)
	}
	subject := s.board.join(service)
	if subject == nil {
		return refuse(http.StatusServiceUnavailable, "too many live streams are open, or Haldane is stopping")
	}
	defer subject.feed().leave()
	out := openStream(w)
	state, position := s.board.read(subject)
	out.event(kindState, subject.feed().id(position), state)
	if out.flush() == nil {
		s.show(r.Context(), out, subject, position)
	}
	return nil
}

// show writes what comes until either side ends.
func (s *Server) show(ctx context.Context, out *stream, from subject, position uint64) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		b := from.feed().read(position)
		if b.lost > 0 {
			var state []byte
			state, position = s.board.read(from)
			out.event(kindState, from.feed().id(position), state)
		} else {
			for n, f := range b.frames {
				out.event(f.kind, from.feed().id(b.first+uint64(n)+1), f.data)
			}
			position = b.first + uint64(len(b.frames))
		}
		if out.flush() != nil || !s.awaitMore(ctx, out, b.changed, ping.C) {
			return
		}
	}
}

// counter is what a variant has counted; nil for none.
func (o *Options) counter(service, variant string) live.Counter {
	if variant == "" || o.Counter == nil {
		return nil
	}
	return o.Counter(service, variant)
}

// entry is a configured service; its name is empty when there is none.
func (o *Options) entry(name string) Service {
	if service, known := o.Service(name); known {
		return service.filled()
	}
	return Service{}
}

// orNil is nil for no service.
func (s Service) orNil() *Service {
	if s.Name == "" {
		return nil
	}
	return &s
}
