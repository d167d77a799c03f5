package balance

import (
	"math/rand/v2"
	"testing"
)

// plainPick is Pick without any cleverness, for a group in which all is well.
func plainPick(all []*Endpoint, random uint64) *Endpoint {
	first := int(uint64(uint32(random)) * uint64(len(all)) >> 32)
	if len(all) == 1 {
		return all[0]
	}
	second := (first + 1 + int((random>>32)*uint64(len(all)-1)>>32)) % len(all)
	if all[second].transport.InFlight() < all[first].transport.InFlight() {
		first = second
	}
	return all[first]
}

func TestPickTakesTheLessLoadedOfTwo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 9; n++ {
		g := New(Options{Endpoints: addresses(n)}, nil)
		var held []*Endpoint
		for range 2000 {
			word := random.Uint64()
			want := plainPick(g.Endpoints(), word)
			got := g.Pick(word, nil)
			if got != want {
				t.Fatalf("%d endpoints: picked %s, want %s", n, got.Address(), want.Address())
			}
			held = append(held, got)
			if random.IntN(2) == 0 {
				i := random.IntN(len(held))
				held[i].Release()
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
			}
		}
		if g.InFlight() != int64(len(held)) {
			t.Errorf("%d in flight, want %d", g.InFlight(), len(held))
		}
		var least, most int64 = 1 << 40, 0
		for _, e := range g.Endpoints() {
			least, most = min(least, e.transport.InFlight()), max(most, e.transport.InFlight())
		}
		if most-least > 10 { // random picks alone: about 50
			t.Errorf("%d endpoints: from %d to %d in flight", n, least, most)
		}
	}
}

func TestPickAvoidsTheOneThatFailed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 5; n++ {
		g := New(Options{Endpoints: addresses(n)}, nil)
		not := g.Endpoints()[random.IntN(n)]
		seen := make(map[*Endpoint]bool)
		for range 500 {
			e := g.Pick(random.Uint64(), not)
			seen[e] = true
			e.Release()
		}
		if want := max(1, n-1); len(seen) != want || n > 1 && seen[not] {
			t.Errorf("%d endpoints: %d picked, the failed one among them: %v", n, len(seen), seen[not])
		}
	}
}

// An endpoint that stands there twice has two chances, and is still the one that a retry avoids.
func TestAnEndpointThatStandsThereTwice(t *testing.T) {
	g := New(Options{Endpoints: []string{"10.0.0.1:80", "10.0.0.1:80", "10.0.0.2:80"}}, nil)
	if len(g.Endpoints()) != 2 {
		t.Fatalf("%d endpoints", len(g.Endpoints()))
	}
	twice := g.Endpoints()[0]
	if n := draws(g, 3000)[twice]; n < 1800 || n > 2200 {
		t.Errorf("picked %d of 3000 times", n)
	}
	for range 100 {
		if e := g.Pick(rand.Uint64(), twice); e == twice {
			t.Fatal("picked again after it failed")
		}
	}
}

func TestPickWithoutEndpoints(t *testing.T) {
	if e := New(Options{}, nil).Pick(rand.Uint64(), nil); e != nil {
		t.Errorf("picked %v", e)
	}
}
