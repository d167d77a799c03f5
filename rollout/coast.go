package rollout

import (
	"time"

	"haldane/config"
)

// coast is Step for a moment in which nothing was seen, where that only moves the clock: it does so in place, and costs next
// to nothing. It says false, and has done nothing, when Step is to be asked. What a hold says of its length is not kept up to
// date; View does that.
func (s *State) coast(now time.Time) bool {
	elapsed := min(max(0, now.Sub(s.Ticked)), maxCredit)
	switch {
	case s.Phase == PhasePending && s.Spec.Start == config.StartManual:
		elapsed = 0
	case !s.Phase.exposing() || s.overdue():
		return false
	case s.Phase == PhasePaused:
		elapsed = 0
	default:
		hold := s.hold(now, s.Verdict)
		if hold != s.Hold {
			return false
		}
		if hold != "" {
			elapsed = 0
		} else if clock := s.Clock + elapsed; clock >= s.least() || clock >= s.Deadline {
			return false
		}
	}
	s.Clock += elapsed
	s.Ticked = now
	return true
}

// overdue says whether what is known already asks for something.
func (s *State) overdue() bool {
	limit := uint64(max(0, s.Policy.Budget.FailedRequests))
	return limit > 0 && s.Spent >= limit || s.failing(&s.Verdict) && s.Pause != PauseFailed || s.informs()
}

// mayLeave says whether the time of the stage is over by the next Step, so that it may order another split.
func (s *State) mayLeave(now time.Time) bool {
	if s.Phase != PhaseProgressing && s.Phase != PhaseBaking {
		return false
	}
	return s.Clock+min(max(0, now.Sub(s.Ticked)), maxCredit) >= s.least()
}
