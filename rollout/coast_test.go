//go:build !race

package rollout

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// To coast is what Step does when nothing was seen: in every state of random lives, for short and long silences.
func TestCoastIsStepWithoutNews(t *testing.T) {
	coasted, asked := 0, 0
	phases := map[Phase]int{}
	for seed := range uint64(150) {
		r := &walk{Rand: rand.New(rand.NewPCG(seed, 8)), now: time.Unix(1_700_000_000, 0)}
		r.start(t)
		for range 200 {
			r.move(t, int(seed))
			for range r.IntN(4) {
				now := r.now.Add(time.Duration(r.IntN(90_000)) * time.Millisecond)
				if r.IntN(2) == 0 {
					now = r.now.Add(tickEvery)
				}
				next, actions := Step(r.state, now, Observation{Verdict: r.state.Verdict, Spent: r.state.Spent, Users: r.state.Users, Losses: r.state.Setbacks.Losses})
				got := r.state
				if !got.coast(now) {
					asked++
					if !reflect.DeepEqual(got, r.state) {
						t.Fatalf("seed %d: it did not coast, and changed the state", seed)
					}
					continue
				}
				coasted++
				phases[got.Phase]++
				if view, want := got.View(now), next.View(now); view.Reason != want.Reason || !reflect.DeepEqual(view.WaitingFor, want.WaitingFor) {
					t.Fatalf("seed %d: %q %q, want %q %q", seed, view.Reason, view.WaitingFor, want.Reason, want.WaitingFor)
				}
				got.HoldText = next.HoldText
				if len(actions) > 0 || !reflect.DeepEqual(got, next) {
					t.Fatalf("seed %d: coasted to\n%+v\nwhere Step goes to\n%+v\nactions %v", seed, got, next, actions)
				}
				r.now, r.state = now, next
			}
		}
	}
	if coasted < 1000 || asked < 1000 || phases[PhaseProgressing] == 0 || phases[PhaseBaking] == 0 || phases[PhasePaused] == 0 || phases[PhasePending] == 0 {
		t.Errorf("coasted %d times (%v), asked %d times: too few to mean something", coasted, phases, asked)
	}
}

// A failure that was charged, though its request has not ended yet, is no silence.
func TestSpentBudgetIsNews(t *testing.T) {
	c := newCrowd(t, 1)
	c.rest()
	r := c.manager.runners[c.names[0]]
	if !r.coast(c.now) {
		t.Fatal("a service without traffic does not coast")
	}
	r.evidence.service.Budget().Purse().Spend()
	if r.coast(c.now) {
		t.Error("a charged failure was slept through")
	}
}

// What a quiet rollout says of its silence is true at the moment it is asked.
func TestSilenceIsToldAsLongAsItIs(t *testing.T) {
	c := newCrowd(t, 1)
	c.rest()
	state := c.manager.runners[c.names[0]].state
	if state.Hold != HoldNoTraffic {
		t.Fatalf("hold %q", state.Hold)
	}
	if got, want := state.View(c.now.Add(time.Hour)).Reason, "no traffic: the canary had no request for 1h2m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
