package rollout

import "sync"

// hub hands events to subscribers.
type hub struct {
	mu   sync.Mutex
	subs map[*subscription]struct{} // guarded by mu
}

// subscription is one subscriber.
type subscription struct {
	events chan Event
	lost   uint64 // events that found no room since the last one that did
}

func (h *hub) subscribe(buffer int) (<-chan Event, func()) {
	s := &subscription{events: make(chan Event, max(1, buffer))}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = make(map[*subscription]struct{})
	}
	h.subs[s] = struct{}{}
	return s.events, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, open := h.subs[s]; open {
			delete(h.subs, s)
			close(s.events)
		}
	}
}

// publish hands the event to everybody who has room for it.
func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.send(e)
	}
}

func (s *subscription) send(e Event) {
	if s.lost > 0 {
		select {
		case s.events <- Event{Kind: EventLost, Time: e.Time, Lost: s.lost}:
			s.lost = 0
		default:
			s.lost++
			return
		}
	}
	select {
	case s.events <- e:
	default:
		s.lost++
	}
}
