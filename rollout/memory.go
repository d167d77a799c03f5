package rollout

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"haldane/analysis"
)

// memoryVersion is the version of the stored format.
const memoryVersion = 1

// memory is what is stored of one service.
type memory struct {
	// Version is the version of the format.
	Version int `json:"version"`
	// State is the service's rollout, Judge its evidence; nil without one.
	State *State          `json:"state,omitempty"`
	Judge *analysis.State `json:"judge,omitempty"`
	// Crowd are the users that were on its canary, where they are counted.
	Crowd []byte `json:"crowd,omitempty"`
	// Former are rollouts that left the configuration, oldest first.
	Former []former `json:"former,omitempty"`
	// Revision is that of the last split.
	Revision uint64 `json:"revision"`
}

// former is a rollout that left the configuration. It is remembered for two reasons: a canary that was rolled back stays
// so when a file that names it comes back, and any other starts again with other users.
type former struct {
	ID      string    `json:"id"`
	Phase   Phase     `json:"phase"`
	Attempt int       `json:"attempt"`
	Ended   time.Time `json:"ended"`
	Reason  string    `json:"reason,omitempty"`
}

// formerLimit and formerAge bound how much and how long a service remembers.
const (
	formerLimit = 20
	formerAge   = 90 * 24 * time.Hour
)

// bury adds a rollout to the former ones.
func bury(list []former, s *State, now time.Time) []former {
	f := former{ID: s.ID, Phase: s.Phase, Attempt: s.Attempt, Ended: s.Ended, Reason: s.Reason}
	if f.Ended.IsZero() {
		f.Ended = now
	}
	if before, known := find(list, f.ID); known && before.Phase == f.Phase && before.Attempt == f.Attempt {
		f = before // it came back and left again, and nothing has happened in between
	}
	list = slices.DeleteFunc(slices.Clone(list), func(old former) bool { return old.ID == f.ID })
	list = append(list, f)
	return list[max(0, len(list)-formerLimit):]
}

// prune forgets what is too old to matter.
func prune(list []former, now time.Time) []former {
	return slices.DeleteFunc(slices.Clone(list), func(f former) bool { return now.Sub(f.Ended) > formerAge })
}

// find looks for a former rollout.
func find(list []former, id string) (former, bool) {
	i := slices.IndexFunc(list, func(f former) bool { return f.ID == id })
	if i < 0 {
		return former{}, false
	}
	return list[i], true
}

func encodeMemory(m memory) ([]byte, error) {
	m.Version = memoryVersion
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a rollout: %w", err)
	}
	return text, nil
}

func decodeMemory(text []byte) (memory, error) {
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return memory{}, fmt.Errorf("decode a rollout: %w", err)
	}
	if m.Version != memoryVersion {
		return memory{}, fmt.Errorf("decode a rollout: format version %d is not %d", m.Version, memoryVersion)
	}
	if m.State == nil {
		return m, nil
	}
	s := m.State
	switch {
	case s.Version != stateVersion:
		return memory{}, fmt.Errorf("decode a rollout: state version %d is not %d", s.Version, stateVersion)
	case len(s.Policy.Steps) == 0 || len(s.Spec.Policy.Steps) == 0 || s.Step < 0 || s.Step >= len(s.Policy.Steps):
		return memory{}, fmt.Errorf("decode a rollout: there is no step %d", s.Step)
	case s.ID != s.Spec.ID() || s.Phase == 0:
		return memory{}, fmt.Errorf("decode a rollout: it does not fit together")
	}
	return m, nil
}
