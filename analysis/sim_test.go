package analysis

import (
	"math/rand/v2"
	"testing"
	"time"
)

const tick = 250 * time.Millisecond

// sim plays random traffic to a judge, request by request, and ticks like the real loop.
type sim struct {
	t      testing.TB
	r      *rand.Rand
	j      *Judge
	now    time.Time
	blocks []Block

	perSecond      float64
	weight         float64
	stable, canary float64 // bad rates
}

// newSim begins at a random phase of the second.
func newSim(t testing.TB, seed uint64, s Settings) *sim {
	r := rand.New(rand.NewPCG(seed, 77))
	return &sim{
		t: t, r: r, j: NewJudge(s), now: time.Unix(1_700_000_000, r.Int64N(1e9)),
		blocks: make([]Block, 1), perSecond: 200,
	}
}

// draw is the requests of the next tick.
func (s *sim) draw() Block {
	b := Block{Stratum: 1, Weight: s.weight}
	n := s.perSecond * tick.Seconds()
	whole := int(n)
	if s.r.Float64() < n-float64(whole) {
		whole++
	}
	for range whole {
		x := s.r.Float64()
		side, rate := &b.Stable, s.stable
		if s.r.Float64() < s.weight {
			side, rate = &b.Canary, s.canary
		}
		if x < rate {
			side.Bad++
		} else {
			side.Good++
		}
	}
	return b
}

func (s *sim) tick() Block {
	s.now = s.now.Add(tick)
	s.blocks[0] = s.draw()
	s.j.Observe(s.now, s.blocks)
	return s.blocks[0]
}

func (s *sim) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.tick()
	}
}

func (s *sim) failed() bool { return s.j.memory.Checks[0].FailedAt != 0 }
