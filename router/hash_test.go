package router

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// TestGoldenHashes pins the hashes: replicas of different versions must send a user to the same side, and so must the same
// replica after an upgrade. If this test fails, every user of every running rollout would be drawn anew.
func TestGoldenHashes(t *testing.T) {
	type golden struct{ Draw, Strength, Percent, Vote uint64 }
	got := make(map[string]golden)
	for _, key := range []string{"1", "alice", "0123456789abcdef", "3f6c1c1e-5d0b-4d3e-9a51-0d9f6f0b7c11-and-more"} {
		draw, strength := saltOf(purposeDraw, "checkout", "r1"), saltOf(purposeStrength, "checkout", "r1")
		percent := saltOf(purposePercent, "testers")
		if plain := xxhash.Sum64String("checkout\x00r1\x00" + key); draw.sum([]byte(key)) != plain {
			t.Errorf("the draw of %q is not the XXH64 of service, 0, rollout, 0, key", key)
		}
		got[key] = golden{
			draw.sum([]byte(key)), strength.sum([]byte(key)), percent.sum([]byte(key)),
			voteHash(voteSalt("checkout"), []byte(key)),
		}
	}
	want := map[string]golden{
		"1":                {0xdd7fc0365b81ac2a, 0x1c0defac7d3a2a3b, 0x1f7277e7c8bf5502, 0xa0156fe1575d8106},
		"alice":            {0x2427fe8b906f14b0, 0xc938338edd730ddc, 0xdd3fd3cfaf1ab09e, 0xf9266d21616f67b5},
		"0123456789abcdef": {0x265684db2e72b29e, 0x4d52ae97a60da2ac, 0x87d5518d38d166a9, 0xf9a05b70183f0277},
		"3f6c1c1e-5d0b-4d3e-9a51-0d9f6f0b7c11-and-more": {0x3e1421db45ccdce8, 0x6c0ca3ebe7c36da4, 0x86037f656750352f, 0x7c8e600dd43da77c},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hashes changed (-want +got):\n%s", diff)
	}
}

// A salt and a key of any length are hashed as one text, whether they are put together or not.
func TestSaltsOfAnyLength(t *testing.T) {
	long := strings.Repeat("salt and key ", 20)
	for n := range 100 {
		draw, strength := saltOf(purposeDraw, long[:n]), saltOf(purposeStrength, long[:n])
		for m := range 100 {
			key := long[7 : 7+m]
			if got, want := draw.sum([]byte(key)), xxhash.Sum64String(long[:n]+"\x00"+key); got != want {
				t.Fatalf("a salt of %d and a key of %d bytes: %x, want %x", n, m, got, want)
			}
			seeded := xxhash.NewWithSeed(uint64(purposeStrength))
			_, _ = seeded.WriteString(long[:n] + "\x00" + key)
			if got, want := strength.sum([]byte(key)), seeded.Sum64(); got != want {
				t.Fatalf("a seeded salt of %d and a key of %d bytes: %x, want %x", n, m, got, want)
			}
		}
	}
}

// TestGoldenDraw pins the whole way from a cookie to a variant.
func TestGoldenDraw(t *testing.T) {
	half := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Weight = 50 * percentUnit })
	var got string
	for i := range 64 {
		got += strconv.Itoa(half.Assign(user(strconv.Itoa(i)), 0).Variant)
	}
	if want := "1010101101111110101111100111000001001100100001011001000010001001"; got != want {
		t.Errorf("users 0 to 63 are on the sides %s, want %s", got, want)
	}
}

// sums are the independent hashes of one key.
func sums(service, rollout string) map[string]func(key []byte) uint64 {
	draw, next := saltOf(purposeDraw, service, rollout), saltOf(purposeDraw, service, rollout+"'")
	strength, percent := saltOf(purposeStrength, service, rollout), saltOf(purposePercent, service)
	other, vote := saltOf(purposeDraw, service+"'", rollout), voteSalt(service)
	return map[string]func(key []byte) uint64{
		"draw": draw.sum, "draw of the next rollout": next.sum, "draw of another service": other.sum,
		"strength": strength.sum, "percent": percent.sum,
		"vote": func(key []byte) uint64 { return voteHash(vote, key) },
	}
}

// keyKinds are the shapes that user keys have in the wild.
func keyKinds() map[string]func(i int) string {
	return map[string]func(i int) string{
		"number": strconv.Itoa,
		"letters": func(i int) string {
			return string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676%26), byte('a' + i/17576)})
		},
		"issued":  func(i int) string { return string(AppendIssuedKey(nil, uint64(i))) },
		"mail":    func(i int) string { return fmt.Sprintf("customer.%d@mail.example.com", i) },
		"address": func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) },
		"binary":  func(i int) string { return string([]byte{byte(i >> 16), byte(i >> 8), byte(i)}) },
	}
}

// TestHashesAreIndependent splits keys into 16 parts by one hash and into 16 by another: each pair of parts must hold one
// key in 256. Pearson's chi-square with 255 degrees of freedom stays under 400 but for one time in 10^8.
func TestHashesAreIndependent(t *testing.T) {
	const keys, parts, limit = 1 << 16, 16, 400
	for kind, text := range keyKinds() {
		hashes := make(map[string][]uint64)
		for name, sum := range sums("checkout", "r1") {
			for i := range keys {
				hashes[name] = append(hashes[name], sum([]byte(text(i))))
			}
		}
		names := names(hashes)
		for i, one := range names {
			for _, two := range names[i:] {
				var upper, mixed [parts * parts]int // upper bits of both, and upper bits of one with lower bits of the other
				for i, a := range hashes[one] {
					b := hashes[two][i]
					upper[a>>60*parts+b>>60]++
					mixed[a>>60*parts+b%parts]++
				}
				if got := chiSquare(upper[:], keys); got > limit && one != two {
					t.Errorf("%s keys, upper bits of %s and of %s: chi-square %.0f", kind, one, two, got)
				}
				if got := chiSquare(mixed[:], keys); got > limit {
					t.Errorf("%s keys, upper bits of %s and lower bits of %s: chi-square %.0f", kind, one, two, got)
				}
			}
		}
	}
}

func chiSquare(cells []int, total int) float64 {
	expected, sum := float64(total)/float64(len(cells)), 0.0
	for _, n := range cells {
		sum += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return sum
}

// TestShortKeysSpread draws the 256 keys of one byte in many rollouts: every key must be in a 10 % canary in one rollout
// out of ten, and keys must not be drawn together.
func TestShortKeysSpread(t *testing.T) {
	const rollouts = 4000
	var hits [256]int
	var pairs [256]int // key i together with key i+1
	threshold, _ := (10 * percentUnit).Fraction()
	for r := range rollouts {
		salt := saltOf(purposeDraw, "shop", fmt.Sprint("rollout-", r))
		var in [256]bool
		for k := range 256 {
			in[k] = salt.sum([]byte{byte(k)}) < threshold
		}
		for k := range 256 {
			if in[k] {
				hits[k]++
			}
			if in[k] && in[(k+1)%256] {
				pairs[k]++
			}
		}
	}
	for k := range 256 {
		within(t, fmt.Sprintf("key %d", k), hits[k], rollouts, 0.1)
		within(t, fmt.Sprintf("keys %d and %d together", k, k+1), pairs[k], rollouts, 0.01)
	}
}

// TestEveryBitOfTheKeyMatters flips each bit of a short key: each bit of the hash must change half of the time.
func TestEveryBitOfTheKeyMatters(t *testing.T) {
	const samples = 4000
	for _, size := range []int{1, 2, 4, 8, 11} {
		for bit := range size * 8 {
			var flips [64]int
			for i := range samples {
				salt := saltOf(purposeDraw, "shop", strconv.Itoa(i))
				key := make([]byte, size)
				before := salt.sum(key)
				key[bit/8] ^= 1 << (bit % 8)
				for changed := before ^ salt.sum(key); changed != 0; changed &= changed - 1 {
					flips[bits.TrailingZeros64(changed)]++
				}
			}
			for out, n := range flips {
				within(t, fmt.Sprintf("%d bytes, bit %d of the key, bit %d of the hash", size, bit, out), n, samples, 0.5)
			}
		}
	}
}

// within checks that hits of n independent draws with probability p are within what happens but once in 10^9 tests
// (Bernstein's inequality, so that it holds for rare hits too).
func within(t *testing.T, what string, hits, n int, p float64) {
	t.Helper()
	log := math.Log(2e9)
	bound := math.Sqrt(2*float64(n)*p*(1-p)*log) + 2*log/3
	if off := math.Abs(float64(hits) - float64(n)*p); off > bound {
		t.Errorf("%s: %d of %d, expected %.1f give or take %.1f", what, hits, n, float64(n)*p, bound)
	}
}
