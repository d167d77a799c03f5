package analysis

import "time"

// The judge goes by the time of day, so that a process that was killed and one that was not cut time up alike. What it remembers
// moves along when that is set, so that it is as long ago as it was before: no warm-up ends early, and nothing waits until
// the clock has come to where it was.

// ClockSet says that the clock was set by so much since the last call, ahead or (negative) back. A clock that was set back is also
// noticed without it; one that was set ahead looks like silence.
func (j *Judge) ClockSet(by time.Duration) { j.memory.shift(int64(by)) }

// hear takes the time.
func (m *State) hear(at int64) {
	if at < m.Now {
		m.shift(at - m.Now)
	}
	m.Now = at
}

// shift moves what is remembered.
func (m *State) shift(by int64) {
	for _, moment := range []*int64{&m.Started, &m.Now, &m.Refreshed, &m.Restarted, &m.WeightAt, &m.FirstCanary, &m.LastCanary, &m.LastStable} {
		if *moment != 0 {
			*moment += by
		}
	}
}
