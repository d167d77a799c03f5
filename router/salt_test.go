package router

import (
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// A salt and a key are hashed as XXH64 hashes both in a row, however long they are.
func TestSaltIsXXH64(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	text := func() []byte {
		b := make([]byte, rng.IntN(pick(dice{rng}, 4, 12, 40, 200)))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	for range 20_000 {
		p, first, second, key := purpose(rng.Uint64()), text(), text(), text()
		plain := xxhash.NewWithSeed(uint64(p))
		for _, part := range [][]byte{first, {0}, second, {0}, key} {
			_, _ = plain.Write(part)
		}
		s := saltOf(p, string(first), string(second))
		if got, want := s.sum(key), plain.Sum64(); got != want {
			t.Fatalf("seed %d, %d and %d bytes, a key of %d: %x, want %x", p, len(first), len(second), len(key), got, want)
		}
	}
}
