package stats

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// A user votes once per window, whatever side the next request comes from.
func TestVoteOncePerWindow(t *testing.T) {
	var v Voters
	for window := range 5 {
		for user := uint64(1); user <= 20; user++ {
			side := []Side{SideStable, SideCanary}[user%2]
			key := user * 0x9E3779B97F4A7C15
			if !v.Vote(key, side) {
				t.Fatalf("window %d: user %d may not vote", window, user)
			}
			if v.Vote(key, SideCanary) || v.Vote(key, SideStable) {
				t.Fatalf("window %d: user %d voted twice", window, user)
			}
		}
		v.Rotate()
	}
	if !v.Vote(0, SideCanary) || !v.Vote(0, SideCanary) {
		t.Error("a request without a user key always votes")
	}
}

// A vote is lost to a collision with the same chance on both sides, however unequal they are: the share of the canary among
// the votes stays that of the draw.
func TestCollisionsDropBothSidesAlike(t *testing.T) {
	const users, weight = 40_000, 0.05
	rng := rand.New(rand.NewPCG(9, 10))
	var v Voters
	var drawn, voted [3]float64
	for range 10 {
		v.Rotate()
		for range users {
			side := SideStable
			if rng.Float64() < weight {
				side = SideCanary
			}
			drawn[side]++
			if v.Vote(rng.Uint64(), side) {
				voted[side]++
			}
		}
	}
	canary, stable := voted[SideCanary]/drawn[SideCanary], voted[SideStable]/drawn[SideStable]
	sigma := math.Sqrt(0.25 * (1/drawn[SideCanary] + 1/drawn[SideStable]))
	if math.Abs(canary-stable) > 4*sigma {
		t.Errorf("%.4f of the canary's votes count and %.4f of the stable's", canary, stable)
	}
	if stable > 0.9 {
		t.Errorf("%.4f of the votes count: there were no collisions to test", stable)
	}
}

// Two users that share a bit in one window do not share one in most others.
func TestCollisionsChangeWithTheWindow(t *testing.T) {
	var v Voters
	rng := rand.New(rand.NewPCG(11, 12))
	first := rng.Uint64()
	v.Vote(first, SideStable)
	other := rng.Uint64()
	for v.Vote(other, SideStable) {
		other = rng.Uint64()
		v.Rotate()
		v.Vote(first, SideStable)
	}
	var again int
	for range 100 {
		v.Rotate()
		v.Vote(first, SideStable)
		if !v.Vote(other, SideStable) {
			again++
		}
	}
	if again > 2 {
		t.Errorf("the pair met again in %d of 100 windows", again)
	}
}

// A window that is half full ends by itself, and exactly once.
func TestWindowEndsAtHalfFill(t *testing.T) {
	var v Voters
	rng := rand.New(rand.NewPCG(13, 14))
	var votes int
	var most float64
	for range 200_000 {
		if v.Vote(rng.Uint64(), SideStable) {
			votes++
		}
		most = max(most, v.Fill())
	}
	if most > 0.5 {
		t.Errorf("the fill went to %.3f", most)
	}
	if share := float64(votes) / 200_000; share < 0.70 || share > 0.75 {
		t.Errorf("%.3f of the votes count, want 0.72: half fill is reached after 45,426 users with 32,768 votes", share)
	}
}

// Many goroutines vote for the same users: each has one vote.
func TestVoteConcurrent(t *testing.T) {
	const users, goroutines = 2000, 8
	var v Voters
	var votes atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for user := uint64(1); user <= users; user++ {
				if v.Vote(user*0x9E3779B97F4A7C15, SideCanary) {
					votes.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := votes.Load(); n > users || n < users*95/100 {
		t.Errorf("%d votes of %d users", n, users)
	}
	if ones := v.window.Load().ones.Load(); int64(ones) != votes.Load() {
		t.Errorf("%d bits are set, %d votes were given", ones, votes.Load())
	}
}

// Rotating and stepping while others vote harms nobody.
func TestRotateUnderVotes(t *testing.T) {
	var v Voters
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(15, g))
			for range 20_000 {
				v.Vote(rng.Uint64(), SideCanary)
			}
		})
	}
	for range 200 {
		v.Rotate()
		v.NewStep()
		v.Users()
	}
	wg.Wait()
	v.NewStep()
	if v.Users() != 0 || v.Fill() != 0 {
		t.Error("a new step begins from nobody")
	}
}

func TestUsers(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for want, tolerance := range map[int]float64{0: 0, 5: 0, 19: 0.06, 1000: 0.01, 100_000: 0.015} {
		var v Voters
		for range want {
			user := rng.Uint64()
			for range 3 {
				v.Vote(user, SideCanary)
				v.Vote(rng.Uint64(), SideStable)
			}
		}
		if got := v.Users(); math.Abs(float64(got-want)) > tolerance*float64(want) {
			t.Errorf("%d users, want %d", got, want)
		}
		v.Rotate()
		if got := v.Users(); math.Abs(float64(got-want)) > tolerance*float64(want) {
			t.Errorf("%d users after a new window, want %d: they are those of the step", got, want)
		}
	}
	var full Voters
	for i := range full.bitmap(&full.step).words {
		full.step.Load().words[i].Store(^uint64(0))
	}
	full.step.Load().ones.Store(voterBits)
	full.Vote(1, SideCanary)
	if got := full.Users(); got < 700_000 || got > 1<<20 {
		t.Errorf("a full bitmap says %d users", got)
	}
}
