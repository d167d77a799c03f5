package load

import (
	"math/rand/v2"
	"time"
)

// schedule says when the requests of an open load are due.
type schedule struct {
	crowd  *Crowd
	rate   float64
	next   time.Time
	queue  []time.Time // due, but all connections were busy
	waited bool        // the queue is not empty
	random *rand.Rand
}

// fire sends what is due, as far as there are free connections, and says how long there is nothing to do. Near the next
// request it does not sleep at all: waking up would take longer than what is measured.
func (s *schedule) fire(now, end time.Time) time.Duration {
	if s.rate == 0 {
		return min(end.Sub(now), 10*time.Millisecond)
	}
	for !s.next.After(now) {
		s.queue = append(s.queue, s.next)
		s.next = s.next.Add(time.Duration(s.random.ExpFloat64() / s.rate * float64(time.Second)))
	}
	s.send(now)
	if s.waited {
		return time.Millisecond // until a connection is free
	}
	if wait := min(s.next.Sub(now), end.Sub(now)) - 2*time.Millisecond; wait > 0 {
		return wait
	}
	return 0
}

// send sends what was due, as far as there are free connections.
func (s *schedule) send(now time.Time) {
	for len(s.queue) > 0 && len(s.crowd.idle) > 0 {
		due := s.queue[0]
		s.queue = s.queue[1:]
		if !s.waited {
			s.crowd.phase.result.Late.Observe(now.Sub(due))
		}
		s.crowd.send(s.crowd.take(), due)
	}
	s.waited = len(s.queue) > 0
}

// drop books what was due and never had a connection.
func (s *schedule) drop() {
	for _, due := range s.queue {
		if p := &s.crowd.phase; p.counted(due) {
			p.result.Sent++
			p.result.Failed++
			p.result.Latency.Observe(time.Since(due))
		}
	}
	s.queue = nil
}
