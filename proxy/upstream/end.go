package upstream

import "time"

// end is a time limit that is set on a connection. To set one costs about as much as a small read, so it is set a little later than
// it has to be, and stays through many exchanges. The zero value is one of which nothing is known.
type end struct {
	time  time.Time // zero: no limit
	known bool
}

// set notes what is set on the connection.
func (e *end) set(at time.Time) { e.time, e.known = at, true }

// forget notes that somebody else has set something.
func (e *end) forget() { e.known = false }

// move says whether the limit has to be set anew, to e.time, so that it is at least at, zero for no limit, and exceeds that by slack at
// the most.
func (e *end) move(at time.Time, slack time.Duration) bool {
	if e.known {
		if at.IsZero() || e.time.IsZero() {
			if at.IsZero() == e.time.IsZero() {
				return false
			}
		} else if over := e.time.Sub(at); over >= 0 && over <= slack {
			return false
		}
	}
	if !at.IsZero() {
		at = at.Add(slack)
	}
	e.set(at)
	return true
}

// endOf is the end of a limit that starts now, and by how much it may be exceeded: a sixteenth. Zero is no limit. A deadline that
// comes first is not exceeded.
func endOf(deadline, now time.Time, limit time.Duration) (time.Time, time.Duration) {
	if limit <= 0 {
		return deadline, 0
	}
	end := now.Add(limit)
	if slack := limit / 16; deadline.IsZero() || end.Add(slack).Before(deadline) {
		return end, slack
	}
	return earlier(deadline, end), 0
}
