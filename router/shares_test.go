package router

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"

	"haldane/config"
)

// TestShares counts the canary's share, drawn by user keys and drawn at random. So many draws are needed for the smallest
// share to be told from half of it and from twice as much.
func TestShares(t *testing.T) {
	const n = 1_500_000
	random := rand.New(rand.NewPCG(3, 1))
	shares := []config.Percent{percentUnit / 100, percentUnit, 50 * percentUnit}
	var services []*Service
	for _, share := range shares {
		services = append(services, released(t, func(_ *config.Service, spec *SplitSpec) { spec.Weight = share }))
	}
	hashed, drawn := make([]int, len(shares)), make([]int, len(shares))
	bare, r := get("shop.example.com", "/"), user("")
	for i := range n {
		r.cookies[0].value = strconv.AppendInt(r.cookies[0].value[:0], int64(i), 10)
		bits := random.Uint64()
		for k, s := range services {
			hashed[k] += s.Assign(r, 0).Variant
			drawn[k] += s.Assign(bare, bits).Variant
		}
	}
	for k, share := range shares {
		within(t, fmt.Sprintf("%s of users", share), hashed[k], n, share.Ratio())
		within(t, fmt.Sprintf("%s at random", share), drawn[k], n, share.Ratio())
	}
}

// TestSharesOfAllKindsOfKeys looks for shapes of keys that the hash likes less.
func TestSharesOfAllKindsOfKeys(t *testing.T) {
	for _, share := range []config.Percent{percentUnit, 50 * percentUnit} {
		s := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Weight = share })
		for kind, text := range keyKinds() {
			n, hits, r := 50_000, 0, user("")
			for i := range n {
				r.cookies[0].value = []byte(text(i))
				hits += s.Assign(r, 0).Variant
			}
			within(t, fmt.Sprintf("%s of %s keys", share, kind), hits, n, share.Ratio())
		}
	}
}

// TestSharesOfIssuedKeys draws users at their first request, by the key that they are given.
func TestSharesOfIssuedKeys(t *testing.T) {
	s := released(t, func(settings *config.Service, spec *SplitSpec) {
		settings.Sticky.Issue = true
		spec.Weight = percentUnit
	})
	random := rand.New(rand.NewPCG(4, 1))
	n, hits, bare := 300_000, 0, get("shop.example.com", "/")
	for range n {
		hits += s.Assign(bare, random.Uint64()).Variant
	}
	within(t, "1% of new users", hits, n, 0.01)
}

// TestSharesOfManyVariants holds a static split over three variants to its shares, and to its order.
func TestSharesOfManyVariants(t *testing.T) {
	split := map[string]config.Percent{"a": 30 * percentUnit, "b": percentUnit / 100, "c": config.Whole - 30*percentUnit - percentUnit/100}
	table := build(t, Options{Services: map[string]config.Service{"shop": {
		Variants: variants("c", "a", "unused", "b"), Stable: "c", Split: split, Sticky: &config.Sticky{Key: config.Key{Cookie: "uid"}},
	}}})
	s := table.Services()[0]
	n, hits := 400_000, make([]int, 4)
	for i := range n {
		hits[s.Assign(user(strconv.Itoa(i)), 0).Variant]++
	}
	for i, v := range s.Variants {
		within(t, v.Name, hits[i], n, split[v.Name].Ratio())
	}
	bare := get("shop.example.com", "/")
	for random, want := range map[uint64]string{0: "a", 3 << 62 / 10: "a", 1<<63 - 1: "c", ^uint64(0): "c"} {
		if got := s.Variants[s.Assign(bare, random).Variant].Name; got != want {
			t.Errorf("random bits %x fall on %s, want %s", random, got, want)
		}
	}
}

// TestThresholdIsExact walks the edges of a share: the canary has exactly the bits below its threshold.
func TestThresholdIsExact(t *testing.T) {
	bare := get("shop.example.com", "/")
	for _, share := range []config.Percent{0, 1, percentUnit / 100, percentUnit, 50 * percentUnit, config.Whole - 1, config.Whole} {
		s := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Weight = share })
		threshold, _ := bits.Div64(uint64(share)%uint64(config.Whole), 0, uint64(config.Whole))
		all := share == config.Whole
		for _, random := range []uint64{0, threshold - 1, threshold, threshold + 1, ^uint64(0)} {
			want := 0
			if all || random < threshold {
				want = 1
			}
			if got := s.Assign(bare, random).Variant; got != want {
				t.Errorf("%s of the traffic, random bits %x: variant %d, want %d", share, random, got, want)
			}
		}
	}
}

// TestGrowthMovesNobodyBack raises the weight for 100,000 users and as many random requests. The names of the variants
// must not matter, so both orders are tried; and so must the strength of a segment behave.
func TestGrowthMovesNobodyBack(t *testing.T) {
	const users = 100_000
	weights := []config.Percent{0, 1, percentUnit / 100, percentUnit, 5 * percentUnit, 20 * percentUnit, 50 * percentUnit, 99 * percentUnit, config.Whole}
	change := map[string]func(*config.Service, *SplitSpec, config.Percent){
		"the canary sorts last": func(_ *config.Service, spec *SplitSpec, w config.Percent) { spec.Weight = w },
		"the canary sorts first": func(_ *config.Service, spec *SplitSpec, w config.Percent) {
			spec.Stable, spec.Canary, spec.Weight = "v2", "v1", w
		},
		"random": func(s *config.Service, spec *SplitSpec, w config.Percent) { s.Sticky, spec.Weight = nil, w },
		"strength": func(_ *config.Service, spec *SplitSpec, w config.Percent) {
			spec.Segment, spec.Strength, spec.Weight = "testers", w, w
		},
	}
	for name, change := range change {
		t.Run(name, func(t *testing.T) {
			canary := make([]bool, users)
			for _, weight := range weights {
				s := released(t, func(settings *config.Service, spec *SplitSpec) { change(settings, spec, weight) })
				random, moved, r := rand.New(rand.NewPCG(5, 1)), 0, user("")
				for i := range canary {
					r.cookies[0].value = strconv.AppendInt(r.cookies[0].value[:0], int64(i), 10)
					a := s.Assign(r, random.Uint64())
					now := a.Variant == s.Split().Canary
					if canary[i] && !now {
						moved++
					}
					canary[i] = now
				}
				if moved > 0 {
					t.Errorf("raising the weight to %s moved %d users to the stable", weight, moved)
				}
			}
			for i, in := range canary {
				if !in {
					t.Fatalf("user %d is not on the canary at 100%%", i)
				}
			}
		})
	}
}

// TestEachRolloutDrawsAfresh compares the canary users of two rollouts, of two services, and of split and strength.
func TestEachRolloutDrawsAfresh(t *testing.T) {
	const users = 100_000
	base := func(_ *config.Service, spec *SplitSpec) { spec.Weight = 10 * percentUnit }
	others := map[string]func(*config.Service, *SplitSpec){
		"another rollout": func(_ *config.Service, spec *SplitSpec) { spec.Rollout, spec.Weight = "r2", 10*percentUnit },
		"strength": func(_ *config.Service, spec *SplitSpec) {
			spec.Segment, spec.Strength = "everyone", 10*percentUnit
		},
		"no rollout": func(_ *config.Service, spec *SplitSpec) {
			*spec = SplitSpec{Stable: "v1", Canary: "v2", Weight: 10 * percentUnit}
		},
	}
	one := released(t, base)
	for name, change := range others {
		two, both, second := released(t, change), 0, 0
		for i := range users {
			r := user(strconv.Itoa(i)).field("X-Everyone", "yes")
			b := two.Assign(r, 0).Variant
			second += b
			both += one.Assign(r, 0).Variant * b
		}
		within(t, name, second, users, 0.1)
		within(t, "canary of "+name+" and of the first", both, users, 0.01)
	}
}

// TestUserIsIndependentOfTheDraw looks at the identities under which canary users vote: as numbers they must be spread
// like anybody's, or the bitmap that counts them would see too few.
func TestUserIsIndependentOfTheDraw(t *testing.T) {
	s := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Weight = percentUnit })
	var low, high [16]int
	n, seen := 0, make(map[uint64]bool)
	for i := range 300_000 {
		a := s.Assign(user(strconv.Itoa(i)), 0)
		if a.User == 0 {
			t.Fatal("a user has no identity")
		}
		if a.Variant == 0 {
			continue
		}
		n++
		low[a.User%16]++
		high[a.User>>60]++
		seen[a.User] = true
	}
	if len(seen) != n {
		t.Errorf("%d users share an identity", n-len(seen))
	}
	for i := range 16 {
		within(t, fmt.Sprintf("canary users with low bits %d", i), low[i], n, 1.0/16)
		within(t, fmt.Sprintf("canary users with high bits %d", i), high[i], n, 1.0/16)
	}
}
