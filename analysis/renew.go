package analysis

import "time"

// Renew forgets the evidence and the counts of the named checks, as StartOver does of all: what they are about from now on is
// something else than before. The picture of stable stays, and so does what is known of the others. The chance of a false fail of
// these checks counts from here again.
func (j *Judge) Renew(now time.Time, named func(check string) bool) {
	m := &j.memory
	m.hear(now.UnixNano())
	for i := range m.Checks {
		c := &j.settings.Checks[i]
		if !named(c.Name) {
			continue
		}
		clumps := m.Checks[i].Clumps
		m.Checks[i] = newCheckState(c)
		m.Checks[i].Clumps = clumps
		for n := range m.Strata {
			st := &m.Strata[n].Streams[i]
			st.CanaryTotal, st.StableBad, st.StableTied, st.StableTotal, st.StableSum = 0, 0, 0, 0, 0
		}
	}
	j.outdate()
}
