package rollout

import (
	"math"
	"testing"
	"time"

	"haldane/stats"
)

// street is traffic of which every request is drawn, ends and is counted as the proxy does it, on a clock of its own.
type street struct {
	*crowd
	name  string
	turns float64 // of the canary, when requests go in turns
	turn  bool
	lost  float64 // share of canary requests that something before the counters swallows
}

// drive is one request of a user (0 for none), and says whether it failed.
type drive struct {
	user           uint64
	canary, stable float64 // chances of failure
	takes          [2]time.Duration
}

func newStreet(t *testing.T) *street {
	c := newCrowd(t, 1)
	return &street{crowd: c, name: c.names[0]}
}

// drawn says whether the split gives the request to the canary.
func (s *street) drawn(split Split, user uint64) bool {
	threshold, all := split.Weight.Fraction()
	switch {
	case s.turn:
		s.turns += split.Weight.Ratio()
		if s.turns < 1 {
			return false
		}
		s.turns--
		return true
	case user > 0:
		return all || user*0x9E3779B97F4A7C15 < threshold
	}
	return all || s.random.Uint64() < threshold
}

func (s *street) request(d drive) (failed bool) {
	split := s.journal.split(s.name)
	service := s.stats.Service(s.name)
	side, name, chance, i := stats.SideStable, split.Stable, d.stable, 1
	if s.drawn(split, d.user) {
		if s.random.Float64() < s.lost {
			return false
		}
		side, name, chance, i = stats.SideCanary, split.Canary, d.canary, 0
	}
	takes := d.takes[i]
	if takes == 0 {
		takes = 20 * time.Millisecond
	}
	record := stats.Record{Outcome: stats.OutcomeOK, Status: 200, FirstByte: time.Duration(float64(takes) * math.Exp(s.random.NormFloat64()/2))}
	if failed = s.random.Float64() < chance; failed {
		record.Outcome, record.Status = stats.OutcomeServerError, 500
	}
	if service.Voters().Vote(d.user, side) {
		record.Lane = stats.Judged(stratumSplit, split.Revision)
	}
	v := service.Variant(name)
	v.Begin(0).End(record)
	return failed
}

// flow lets time pass with so many requests a second, each made by next from the time that has passed.
func (s *street) flow(d time.Duration, rate int, next func(time.Duration)) {
	for at := time.Duration(0); at < d; at += tickEvery {
		for range rate / 4 {
			next(at)
		}
		s.tick()
	}
}

func (s *street) view() View {
	state := s.manager.runners[s.name].state
	return state.View(s.now)
}

// want fails the test unless the rollout is in the phase.
func (s *street) want(t *testing.T, p Phase) View {
	t.Helper()
	v := s.view()
	if v.Phase != p {
		t.Errorf("%s, want %s: %s; %s", v.Phase, p, v.Reason, v.Verdict.Sentence())
	}
	return v
}

func TestTrapStableHasNoErrors(t *testing.T) {
	s := newStreet(t)
	s.flow(3*time.Minute, 200, func(time.Duration) { s.request(drive{canary: 0.03}) })
	s.want(t, PhaseRolledBack)
	s = newStreet(t)
	s.flow(10*time.Minute, 200, func(time.Duration) { s.request(drive{}) })
	s.want(t, PhaseProgressing)
}

// Two in five requests fail on both sides for a while: the clock stands, and runs again afterwards.
func TestTrapBothBad(t *testing.T) {
	for range 5 {
		s := newStreet(t)
		fails := func(share float64) func(time.Duration) {
			return func(time.Duration) { s.request(drive{canary: share, stable: share}) }
		}
		s.flow(time.Minute, 400, fails(0.005))
		s.flow(10*time.Minute, 400, fails(0.4))
		if v := s.want(t, PhaseProgressing); v.Hold != HoldStableSick || v.Stage.Elapsed > v.Stage.Duration/20 {
			t.Errorf("hold %q, clock %s", v.Hold, v.Stage.Elapsed)
		}
		s.flow(time.Minute, 400, fails(0.005))
		if v := s.want(t, PhaseProgressing); v.Hold != "" {
			t.Errorf("still held: %s", v.Reason)
		}
	}
}

// The canary's caches are cold: ten times slower at first, like stable after half a minute.
func TestTrapColdCaches(t *testing.T) {
	s := newStreet(t)
	s.flow(10*time.Minute, 200, func(at time.Duration) {
		slow := time.Duration(0)
		if at < 30*time.Second {
			slow = time.Duration(20e6 * (10 - 9*at.Seconds()/30))
		}
		s.request(drive{takes: [2]time.Duration{slow, 0}})
	})
	v := s.want(t, PhaseProgressing)
	for _, c := range v.Verdict.Checks {
		if c.Score < leansToHarm-5 {
			t.Errorf("%s: %s", c.Name, c.Sentence)
		}
	}
}

// Everything that the canary answers within half a second fails, once in two minutes.
func TestTrapBursts(t *testing.T) {
	s := newStreet(t)
	s.flow(10*time.Minute, 400, func(at time.Duration) {
		chance := 0.002
		if at%(2*time.Minute) >= 119*time.Second+500*time.Millisecond {
			chance = 1
		}
		s.request(drive{canary: chance, stable: 0.002})
	})
	s.want(t, PhaseProgressing)
}

// The load grows eightfold; errors and latency grow with it, on both sides.
func TestTrapLoadRamp(t *testing.T) {
	s := newStreet(t)
	for minute := range 16 {
		grown := 1 + float64(minute)/2
		takes := time.Duration(20e6 * grown)
		s.flow(time.Minute, int(50*grown), func(time.Duration) {
			s.request(drive{canary: 0.003 * grown, stable: 0.003 * grown, takes: [2]time.Duration{takes, takes}})
		})
	}
	s.want(t, PhaseProgressing)
}

// Every tenth request goes to the canary, in turns and not by chance: what is alike stays, what is bad goes.
func TestTrapDeterministicWeights(t *testing.T) {
	s := newStreet(t)
	s.turn = true
	s.flow(10*time.Minute, 200, func(time.Duration) { s.request(drive{canary: 0.01, stable: 0.01}) })
	if v := s.want(t, PhaseProgressing); v.Hold != "" {
		t.Errorf("held: %s", v.Reason)
	}
	s.flow(5*time.Minute, 200, func(time.Duration) { s.request(drive{canary: 0.08, stable: 0.01}) })
	s.want(t, PhaseRolledBack)
}

// Something before the counters swallows a third of the canary's requests: nobody knows which. The clock stands, with the
// reason, until the share is right for long enough.
func TestTrapWrongShare(t *testing.T) {
	s := newStreet(t)
	s.lost = 0.33
	s.flow(3*time.Minute, 400, func(time.Duration) { s.request(drive{canary: 0.005, stable: 0.005}) })
	v := s.want(t, PhaseProgressing)
	if v.Hold != HoldSplitMismatch || len(v.WaitingFor) == 0 || v.Reason != v.WaitingFor[0] {
		t.Errorf("hold %q: %s; waits for %q", v.Hold, v.Reason, v.WaitingFor)
	}
	if elapsed := time.Duration(v.Stage.Elapsed); elapsed > 2*time.Minute {
		t.Errorf("the clock ran for %v", elapsed)
	}
}

// A client repeats what failed, up to three times. Each repetition is drawn anew: equal variants stay equal, and the bad one is
// found.
func TestTrapRetries(t *testing.T) {
	s := newStreet(t)
	retrying := func(d drive) func(time.Duration) {
		return func(time.Duration) {
			tries := 0
			for s.request(d) && tries < 3 {
				tries++
			}
		}
	}
	s.flow(10*time.Minute, 200, retrying(drive{canary: 0.05, stable: 0.05}))
	if v := s.want(t, PhaseProgressing); v.Hold != "" {
		t.Errorf("held: %s", v.Reason)
	}
	s.flow(5*time.Minute, 200, retrying(drive{canary: 0.15, stable: 0.05}))
	s.want(t, PhaseRolledBack)
}

// One client sends what nobody can answer, as much as all others together. Drawn by request it hits both sides alike; with a
// user key it stays on one side, where it has one vote a minute.
func TestTrapOneBadClient(t *testing.T) {
	const others = 5000
	sides := map[bool]int{}
	for bad := uint64(0); sides[true]+sides[false] < 6; bad++ {
		s := newStreet(t)
		canary := s.drawn(s.journal.split(s.name), others+1+bad)
		if sides[canary] == 3 {
			continue // three clients of each side are enough
		}
		sides[canary]++
		n := uint64(0)
		s.flow(10*time.Minute, 200, func(time.Duration) {
			if n++; n%2 == 0 {
				s.request(drive{canary: 1, stable: 1, user: others + 1 + bad})
			} else {
				s.request(drive{canary: 0.002, stable: 0.002, user: 1 + s.random.Uint64N(others)})
			}
		})
		if v := s.view(); v.Phase == PhaseRolledBack {
			t.Errorf("client on the canary %v: %s; %s", canary, v.Reason, v.Verdict.Sentence())
		}
	}
	s := newStreet(t)
	n := 0
	s.flow(10*time.Minute, 200, func(time.Duration) {
		chance := 0.002
		if n++; n%10 == 0 { // a tenth of the traffic: more would be a sick stable
			chance = 1
		}
		s.request(drive{canary: chance, stable: chance})
	})
	s.want(t, PhaseProgressing)
}
