package rollout

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// set is a moment as the process sees it after somebody has set the clock of the machine: another time of day, and the same on the
// clock that nobody can set. There is no other way to make one; see package time, "Monotonic Clocks".
func set(t time.Time, by time.Duration) time.Time {
	type layout struct {
		wall uint64 // a flag, 33 bits of seconds, 30 bits of nanoseconds
		ext  int64  // the other clock
		_    *time.Location
	}
	(*layout)(unsafe.Pointer(&t)).wall += uint64(by/time.Second) << 30
	return t
}

// watchmaker gives the moments of a bubble, whose own have the time of day alone, both clocks.
type watchmaker struct{ outside, bubble time.Time }

func (w watchmaker) now(off time.Duration) time.Time {
	return set(w.outside.Add(time.Since(w.bubble)), off)
}

func TestSetMovesTheTimeOfDayAlone(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour, -time.Second} {
		before := time.Now()
		after := set(before, by)
		if after.Sub(before) != 0 || after.Round(0).Sub(before.Round(0)) != by {
			t.Fatalf("%v: %v and %v: set does not fit this version of Go", by, before, after)
		}
	}
}

// entry is what is seen of a rollout after a beat.
type entry struct {
	step  int
	phase Phase
	hold  Hold
	clock time.Duration
}

// during plays a healthy rollout whose machine's clock is off by a duration that depends on the beat.
func during(t *testing.T, beats int, off func(beat int) time.Duration) (all []entry) {
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		r, w := newRig(t), watchmaker{start, time.Now()}
		r.configureAt(w.now(off(0)), quickSpec("shop", 10*onePercent, 50*onePercent))
		for beat := range beats {
			r.flow(tickEvery, traffic{service: "shop", rate: 400})
			r.beat(w.now(off(beat)))
			s := r.Manager.runners["shop"].state
			all = append(all, entry{s.Step, s.Phase, s.Hold, s.Clock})
		}
	})
	return all
}

// A clock that is set, or set again and again, while a rollout runs makes no step shorter or longer, and no timer run out. What is
// known of the canary may be looked at a little sooner or later: that goes by the time of day.
func TestClockIsSetWhileItRuns(t *testing.T) {
	const first, last = 5 * 60, 4 * 75 // beats: enough for the first step and the evidence of the last one
	for name, off := range map[string]func(int) time.Duration{
		"it is not":     func(int) time.Duration { return 0 },
		"an hour ahead": func(beat int) time.Duration { return time.Duration(min(beat/30, 1)) * time.Hour },
		"an hour back":  func(beat int) time.Duration { return -time.Duration(min(beat/30, 1)) * time.Hour },
		"to and fro":    func(beat int) time.Duration { return time.Duration(beat/20%2) * time.Hour },
		"second by second": func(beat int) time.Duration {
			return time.Duration(beat/8%5-2) * time.Second
		},
	} {
		all := during(t, first+last, off)
		for i := 1; i < len(all); i++ {
			before, now := all[i-1], all[i]
			if now.hold != "" {
				t.Fatalf("%s: hold %q at beat %d", name, now.hold, i)
			}
			if now.step != before.step || now.phase != before.phase {
				t.Logf("%s: %v of step %d ended at beat %d, after %v", name, before.phase, before.step, i, before.clock)
				if before.phase == PhaseProgressing && before.clock < 10*time.Second-tickEvery {
					t.Fatalf("%s: step %d ended after %v of 10s", name, before.step, before.clock)
				}
				continue
			}
			if credit := now.clock - before.clock; credit < 0 || credit > 2*tickEvery {
				t.Fatalf("%s: the clock went from %v to %v at beat %d", name, before.clock, now.clock, i)
			}
		}
		if end := all[len(all)-1]; end.phase == PhaseProgressing {
			t.Errorf("%s: after %d beats it is at step %d, %v", name, len(all), end.step, end.clock)
		}
	}
}

// A process that starts on a machine whose clock was set meanwhile goes on where it was: with the time of the step that had counted,
// and no hold. And it notices silence after the same time as ever.
func TestRestoredAfterTheClockWasSet(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour, 0} {
		start := time.Now()
		synctest.Test(t, func(t *testing.T) {
			r, w := newRig(t), watchmaker{start, time.Now()}
			spec := quickSpec("shop", 10*onePercent)
			r.configureAt(w.now(0), spec)
			for range 24 {
				r.flow(tickEvery, traffic{service: "shop", rate: 100})
				r.beat(w.now(0))
			}
			r.checkpoint()
			before := r.Manager.runners["shop"].state
			r.reboot()
			r.configureAt(w.now(by), spec)
			state := func() *State { return &r.Manager.runners["shop"].state }
			r.beat(w.now(by))
			if after := state(); after.Clock != before.Clock || after.Hold != "" || after.Phase != before.Phase || after.Step != before.Step {
				t.Errorf("%v: clock %v, hold %q, %v; it was %v, %v", by, after.Clock, after.Hold, after.Phase, before.Clock, before.Phase)
			}
			quiet := 0
			for state().Hold != HoldNoTraffic && quiet < 100 {
				time.Sleep(tickEvery)
				quiet++
				r.beat(w.now(by))
			}
			if limit := int(quietPeriod(spec.Policy.Steps[0])/tickEvery) + 2; quiet < limit-4 || quiet > limit {
				t.Errorf("%v: silence was noticed after %d beats, want %d", by, quiet, limit)
			}
			r.flow(time.Second, traffic{service: "shop", rate: 100})
			r.beat(w.now(by))
			if state().Hold != "" {
				t.Errorf("%v: with traffic again it is held: %q", by, state().Hold)
			}
		})
	}
}

// What could not be stored is tried again a second later, also when the clock was set back in between.
func TestStoreIsTriedAgainAfterTheClockWasSet(t *testing.T) {
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		r, w := newRig(t), watchmaker{start, time.Now()}
		r.store.set(errDisk, nil)
		r.configureAt(w.now(0), quickSpec("shop", 10*onePercent))
		r.beat(w.now(0))
		if hold := r.Manager.runners["shop"].state.Hold; hold != HoldStore {
			t.Fatalf("hold %q", hold)
		}
		r.store.set(nil, nil)
		time.Sleep(storeRetry)
		r.beat(w.now(-time.Hour))
		if s := r.Manager.runners["shop"].state; s.Phase != PhaseProgressing || s.Hold != "" {
			t.Errorf("%v, hold %q", s.Phase, s.Hold)
		}
	})
}
