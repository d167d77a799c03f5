package analysis

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A check that nothing new is known of keeps its verdict: at any moment it is the one that a judge gives who starts from the
// same memory and has no verdict yet.
func TestVerdictsThatAreKeptAreTheVerdictsOfNow(t *testing.T) {
	settings := Settings{WarmUp: -1, Checks: append(Defaults().Checks, LatencyChecks()...)}
	settings.Checks = append(settings.Checks, Check{Name: "most", Max: 0.05}, Check{Name: "limited", Event: 1, Relative: 0.1})
	for seed := range uint64(4) {
		s := newSim(t, seed, settings)
		s.stable, s.canary = 0.01, 0.02
		for n := range 4 * 120 {
			if n%150 == 0 {
				s.weight = [...]float64{0.2, 0, 0.97, 0.5}[n/150]
				s.j.WeightChanged(s.now)
			}
			if s.r.IntN(60) == 0 {
				s.j.NewStep(s.now)
			}
			blocks := []Block{{Stratum: 1, Weight: s.weight}}
			if n%150 > 0 { // the first of a weight is empty
				blocks = s.mixed(n%4 == 0)
			}
			if n > 300 && n < 320 { // a stratum that is gone after the next change
				blocks = append(blocks, Block{Stratum: 2, Weight: 0.3, Canary: Counts{Good: 2}, Stable: Counts{Bad: 1, Good: 5}})
			}
			s.now = s.now.Add(tick)
			s.j.Observe(s.now, blocks)
			fresh, err := Restore(settings, s.j.State())
			if err != nil {
				t.Fatal(err)
			}
			got, _ := json.Marshal(s.j.Verdict())
			want, _ := json.Marshal(fresh.Verdict())
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Fatalf("seed %d, tick %d: %s", seed, n, diff)
			}
		}
	}
}

// mixed is a tick with events and, at times, latencies, or with only one kind of them.
func (s *sim) mixed(latencies bool) []Block {
	b := s.draw()
	if s.r.IntN(4) == 0 {
		b = Block{Stratum: 1, Weight: s.weight}
	}
	if latencies {
		for range 40 {
			b.StableLatency = append(b.StableLatency, Bucket{1000 + s.r.IntN(300), 1})
			b.CanaryLatency = append(b.CanaryLatency, Bucket{1000 + s.r.IntN(310), uint64(s.r.IntN(2))})
		}
	}
	if s.r.IntN(3) == 0 {
		b.StableEvents = []Counts{{Bad: s.r.Uint64N(3), Good: 20}}
		b.CanaryEvents = []Counts{{Bad: s.r.Uint64N(2), Good: 5}}
	}
	return []Block{b}
}

// A finder that is told to regard one exposure after the other finds what a new one does.
func TestFinderIsUsedAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := Defaults().Checks[0]
	for range 200 {
		rate, needed := r.Float64()*0.05, 3+4*r.Float64()
		used := c.finder(&checkState{}, rate, needed)
		var seen exposures
		for range 20 {
			if seen.add(r.Float64()*0.9, r.Uint64N(3000)); r.IntN(8) == 0 {
				seen = exposures{}
			}
			used.regard(&seen)
			fresh := c.finder(&checkState{}, rate, needed)
			fresh.regard(&seen)
			if bad := rate + math.Pow(10, -4*r.Float64()); used.finds(bad) != fresh.finds(bad) {
				t.Fatalf("%v of %v: used %v, fresh %v", bad, seen, used.finds(bad), fresh.finds(bad))
			}
			for i := range seen {
				if seen[i].Canary > 0 && used.bets[i] != fresh.bets[i] {
					t.Fatalf("bets of %v differ", seen[i])
				}
			}
		}
	}
}
