package analysis

import (
	"math"
	"time"
)

// keepTime does what is due before the next block is judged, all of it from earlier blocks: restarts, and a new picture of
// stable. While nothing happens nothing is due, so that a quiet service costs nothing.
func (j *Judge) keepTime(at int64) {
	m := &j.memory
	changed := m.Changed
	m.Changed = false
	learning := j.learning()
	switch {
	case !learning && !j.aloneSince(m.Restarted):
	case m.Restarted == 0: // the first bets are no restart
		m.Restarted = at
	default:
		before, periodic := m.Restarted, due(at, m.Restarted, j.settings.RestartEvery)
		if periodic {
			m.Restarted = at
		}
		if changed || periodic {
			j.restart(learning, j.aloneSince(before))
		}
	}
	if changed || due(at, m.Refreshed, j.settings.Refresh) {
		j.refresh(at)
	}
}

// due says whether a period is over. A clock that was set back starts it anew.
func due(at, last int64, every time.Duration) bool { return at < last || at-last >= int64(every) }

// refresh closes the books of the period and renews what the next bets are made of.
func (j *Judge) refresh(at int64) {
	m := &j.memory
	j.outdate()
	// A clock that was set back is no reason to forget, and still less to remember more than there was.
	part := halved(max(0, at-m.Refreshed), int64(j.settings.HalfLife))
	slow := math.Pow(part, 1./clumpMemory)
	for i := range m.Checks {
		m.Checks[i].Clumps.fade(slow)
	}
	m.Refreshed = at
	for k := range m.Strata {
		s := &m.Strata[k]
		for i := range j.settings.Checks {
			m.Checks[i].close(s, i, &j.settings.Checks[i])
		}
		s.fade(part)
		latencies := s.latencies()
		for i := range j.settings.Checks {
			s.renew(i, &j.settings.Checks[i], latencies, j.settings.MinReference)
			s.arm(i, &j.settings.Checks[i])
		}
	}
	j.foresee()
}

// restart begins new bets of the checks that have something to bet on: those that compare while there is a comparison,
// absolute ones while the canary has requests.
func (j *Judge) restart(comparing, alone bool) {
	j.outdate()
	for i := range j.memory.Checks {
		if c := &j.settings.Checks[i]; c.absolute() && alone || !c.absolute() && comparing {
			j.memory.Checks[i].Harm.restart(&j.rules[i].stakes)
		}
	}
}

// aloneSince says whether there are absolute checks and the canary had requests since a moment.
func (j *Judge) aloneSince(at int64) bool {
	if j.memory.LastCanary == 0 || j.memory.LastCanary < at {
		return false
	}
	for i := range j.settings.Checks {
		if j.settings.Checks[i].absolute() {
			return true
		}
	}
	return false
}
