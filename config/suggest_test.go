package config

import (
	"math/rand/v2"
	"testing"
)

func TestNearest(t *testing.T) {
	keys := []string{"weight", "segment", "strength", "duration", "max_duration", "name"}
	f := func(word, want string) {
		t.Helper()
		if got := nearest(word, keys); got != want {
			t.Errorf("nearest(%q) = %q; want %q", word, got, want)
		}
	}
	f("wieght", "weight")
	f("Weight", "weight")
	f("weihgt", "weight")
	f("segments", "segment")
	f("maxduration", "max_duration")
	f("max-duration", "max_duration")
	f("naem", "name")
	f("colour", "")
	f("", "")
	f("x", "")
}

// TestMistakes compares with the definition, which needs no table.
func TestMistakes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	word := func() string {
		b := make([]byte, random.IntN(6))
		for i := range b {
			b[i] = "abc"[random.IntN(3)]
		}
		return string(b)
	}
	for range 2_000 {
		a, b := word(), word()
		if got, want := mistakes(a, b), slowMistakes(a, b); got != want {
			t.Fatalf("mistakes(%q, %q) = %d; want %d", a, b, got, want)
		}
	}
}

func slowMistakes(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	x, y := len(a)-1, len(b)-1
	change := 1
	if a[x] == b[y] {
		change = 0
	}
	least := min(slowMistakes(a[:x], b)+1, slowMistakes(a, b[:y])+1, slowMistakes(a[:x], b[:y])+change)
	if x > 0 && y > 0 && a[x] == b[y-1] && a[x-1] == b[y] {
		least = min(least, slowMistakes(a[:x-1], b[:y-1])+1)
	}
	return least
}
