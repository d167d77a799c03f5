package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// stateVersion is the version of the format of State.
const stateVersion = 2

// State is everything a Judge remembers. It may be stored as JSON and given to Restore, which continues exactly where State was
// taken. Times are Unix nanoseconds, 0 for never.
type State struct {
	// Version is the version of the format.
	Version int `json:"version"`
	// Started is the first call of Observe, Now the last moment the judge was told.
	Started int64 `json:"started"`
	Now     int64 `json:"now"`
	// Refreshed and Restarted are when the picture of stable was renewed and when the bets were restarted.
	Refreshed int64 `json:"refreshed"`
	Restarted int64 `json:"restarted"`
	// WeightAt is when a weight changed last; Changed says that the bets have not been restarted for it yet.
	WeightAt int64 `json:"weight_at"`
	Changed  bool  `json:"changed"`
	// FirstCanary, LastCanary and LastStable are when requests of the variants were seen.
	FirstCanary int64 `json:"first_canary"`
	LastCanary  int64 `json:"last_canary"`
	LastStable  int64 `json:"last_stable"`
	// Silence is how unlikely it is, as minus the log of a probability, that the draws since the last canary request all went
	// to stable.
	Silence float64 `json:"silence"`
	// StepUncompared counts the canary requests of the step that were drawn with a weight at which nothing is learnt.
	StepUncompared uint64 `json:"step_uncompared"`
	// Recent is stable's last seconds.
	Recent [recentSeconds]second `json:"recent"`
	// Checks and Strata are the evidence and the picture of stable.
	Checks []checkState `json:"checks"`
	Strata []stratum    `json:"strata"`
}

// State is a copy of everything the judge remembers.
func (j *Judge) State() State { return j.memory.clone() }

// Restore makes a judge that continues where a State was taken. A check that is new, or whose tolerance is another one than that
// of the stored evidence, starts with no evidence: evidence is about one promise. Other settings may differ.
func Restore(settings Settings, state State) (*Judge, error) {
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("restore the judge: %w", err)
	}
	if err := state.validate(); err != nil {
		return nil, fmt.Errorf("restore the judge: %w", err)
	}
	j := NewJudge(settings)
	fresh := j.memory.Checks
	from := make([]int, len(fresh)) // where each check is in the stored state; -1 for nowhere
	j.memory = state.clone()
	j.memory.Checks = fresh
	for i := range fresh {
		from[i] = -1
		for k := range state.Checks {
			if state.Checks[k].sameAs(&j.settings.Checks[i]) {
				from[i] = k
				fresh[i] = state.Checks[k]
				fresh[i].Event = j.settings.Checks[i].Event
				if fresh[i].Harm.Sup < j.rules[i].needed { // it may use less of alpha than when it failed
					fresh[i].FailedAt = 0
				}
			}
		}
	}
	if !sameFailures(state.Checks, fresh) {
		j.forgetFailures()
	}
	for k := range j.memory.Strata {
		j.rearm(&j.memory.Strata[k], from)
	}
	return j, nil
}

// rearm puts the streams of a stratum in the order of the checks and derives the factors again.
func (j *Judge) rearm(s *stratum, from []int) {
	stored := s.Streams
	for i, v := range s.Latency {
		if v > 0 {
			s.held.add(i)
		}
	}
	s.Streams = make([]stream, len(from))
	s.bets = make([]bets, len(from))
	for i, k := range from {
		c := &j.settings.Checks[i]
		if k >= 0 {
			s.Streams[i] = stored[k]
		} else {
			s.renew(i, c, s.latencies(), j.settings.MinReference)
		}
		s.arm(i, c)
	}
}

func (m *State) clone() State {
	c := *m
	c.Checks = append([]checkState(nil), m.Checks...)
	c.Strata = append([]stratum(nil), m.Strata...)
	for i := range c.Strata {
		s := &c.Strata[i]
		s.Streams = append([]stream(nil), s.Streams...)
		s.Latency = append(histogram(nil), s.Latency...)
		s.bets, s.held = nil, reach{}
	}
	return c
}

// validate rejects what no judge can have written. It protects against a damaged file, not against a forged one.
func (m *State) validate() error {
	if m.Version != stateVersion {
		return fmt.Errorf("format version %d is not %d", m.Version, stateVersion)
	}
	if len(m.Strata) > MaxStrata {
		return fmt.Errorf("%d strata are more than %d", len(m.Strata), MaxStrata)
	}
	for i := range m.Checks {
		if err := m.Checks[i].validate(); err != nil {
			return err
		}
	}
	var seen [MaxStrata + 1]bool
	for i := range m.Strata {
		s := &m.Strata[i]
		if s.Number < 1 || s.Number > MaxStrata || seen[s.Number] || len(s.Streams) != len(m.Checks) {
			return fmt.Errorf("stratum %d does not fit", s.Number)
		}
		seen[s.Number] = true
		if err := s.validate(); err != nil {
			return fmt.Errorf("stratum %d: %w", s.Number, err)
		}
	}
	return nil
}

func (s *stratum) validate() error {
	if n := len(s.Latency); n > NumBuckets || n%octave != 0 {
		return fmt.Errorf("%d latency buckets", n)
	}
	if !finite(s.Weight, s.Bad, s.Total) || !finite(s.Latency...) || min(s.Bad, s.Total) < 0 {
		return errors.New("numbers that are no counts")
	}
	for _, v := range s.Latency {
		if v < 0 {
			return errors.New("latencies that are no counts")
		}
	}
	for _, st := range s.Streams {
		if !finite(st.Bad, st.Total) || min(st.Bad, st.Total) < 0 {
			return errors.New("events that are no counts")
		}
		if !(st.Centre >= 0 && st.Centre <= 1) || !(st.Tied >= 0 && st.Tied <= 1) || outside(st.StableLimit) || outside(st.CanaryLimit) {
			return errors.New("limits out of range")
		}
	}
	return nil
}

func outside(bucket int) bool { return bucket < 0 || bucket >= NumBuckets }

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// histogram is fading counts by bucket, up to the last power of two that has any: nearly all of a judge's memory is here, and
// few services need a second for an answer. Its JSON is sparse.
type histogram []float64

// grow makes room for a bucket, and all of its power of two.
func (h *histogram) grow(index int) {
	if index >= len(*h) {
		grown := make(histogram, (index/octave+1)*octave)
		copy(grown, *h)
		*h = grown
	}
}

type sparse struct {
	Index []int     `json:"index"`
	Count []float64 `json:"count"`
}

// MarshalJSON writes the buckets that hold something.
func (h histogram) MarshalJSON() ([]byte, error) {
	var s sparse
	for i, v := range h {
		if v != 0 {
			s.Index = append(s.Index, i)
			s.Count = append(s.Count, v)
		}
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *histogram) UnmarshalJSON(text []byte) error {
	var s sparse
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read a latency histogram: %w", err)
	}
	if len(s.Index) != len(s.Count) {
		return errors.New("read a latency histogram: indexes and counts do not match")
	}
	*h = nil
	for k, i := range s.Index {
		if i < 0 || i >= NumBuckets {
			return fmt.Errorf("read a latency histogram: no bucket %d", i)
		}
		h.grow(i)
		(*h)[i] = s.Count[k]
	}
	return nil
}
