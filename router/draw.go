package router

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"haldane/config"
)

// purpose keeps apart the hashes of one key that serve different ends: whoever is drawn for one must not thereby be
// likelier to be drawn for another. It is the seed of the hash.
type purpose uint64

const (
	// purposeDraw is the split. Its seed is zero, so that anybody can compute the draw: XXH64 of service, 0, rollout, 0, key.
	purposeDraw purpose = iota
	// purposeStrength is the draw inside a segment.
	purposeStrength
	// purposePercent is a share of the values of a key, as a predicate.
	purposePercent
	// purposeVote is the identity under which a user votes.
	purposeVote
)

// salt is what a hash reads before the key. It is never written to, so that any number of requests may read it at the same time.
type salt struct {
	length uint8            // of the text; none where there is a prefix
	text   [inlineSalt]byte // of a salt that is short and has no seed
	prefix *xxhash.Digest   // of any other: the hash that has read it
}

// inlineSalt is the longest text, which with its length is as long as a cache line. It is put together with the key and hashed at once, which
// takes a third of going on from a hash that has begun.
const inlineSalt = 63

// saltOf reads the parts, each followed by a zero byte. Names hold no zero byte, so that two lists of parts never read
// alike.
func saltOf(p purpose, parts ...string) (s salt) {
	var text []byte
	for _, part := range parts {
		text = append(append(text, part...), 0)
	}
	if p == purposeDraw && len(text) <= inlineSalt {
		s.length = uint8(copy(s.text[:], text))
		return s
	}
	s.prefix = xxhash.NewWithSeed(uint64(p))
	_, _ = s.prefix.Write(text) // a Digest never fails
	return s
}

// sum is the hash of a key: XXH64, whose own finish spreads a change of any bit over all 64, also with keys of one byte.
func (s *salt) sum(key []byte) uint64 {
	var whole [2 * (inlineSalt + 1)]byte
	n := int(s.length)
	if s.prefix == nil && len(key) <= len(whole)-inlineSalt {
		copy(whole[:], s.text[:])
		// The mask changes nothing: with it the compiler knows the bounds.
		return xxhash.Sum64(whole[:n+copy(whole[n&inlineSalt:], key)])
	}
	var d xxhash.Digest
	if s.prefix != nil {
		d = *s.prefix
	} else {
		d.Reset()
		_, _ = d.Write(s.text[:n])
	}
	_, _ = d.Write(key)
	return d.Sum64()
}

// draw turns 64 uniform bits into a variant. The bounds ascend; the first one above the bits decides.
type draw struct {
	salt  salt
	first bound // the zero value for none
	rest  int   // the variant beyond all bounds
	more  []bound
}

// bound is the end of one variant's part of the line from 0 to 2^64.
type bound struct {
	below   uint64
	variant int
}

// newDraw lays the shares side by side in the order of the variants. They add up to the whole.
func newDraw(salt salt, shares []config.Percent) draw {
	d := draw{salt: salt}
	var sum config.Percent
	var bounds []bound
	for variant, share := range shares {
		if share == 0 {
			continue
		}
		sum += share
		below, all := sum.Fraction()
		if all {
			d.rest = variant
			break
		}
		bounds = append(bounds, bound{below, variant})
	}
	if len(bounds) > 0 {
		d.first, d.more = bounds[0], bounds[1:]
	}
	return d
}

// canaryDraw is a draw between two.
type canaryDraw struct {
	share          config.Percent
	canary, stable int
}

// newCanaryDraw gives the canary the front of the line, whatever the names of the variants: a larger share then takes in
// everybody of a smaller one, so that growth moves nobody back to the stable.
func newCanaryDraw(salt salt, c canaryDraw) draw {
	below, all := c.share.Fraction()
	if all {
		return draw{salt: salt, rest: c.canary}
	}
	return draw{salt: salt, first: bound{below, c.canary}, rest: c.stable}
}

// at is the variant that 64 uniform bits fall on.
func (d *draw) at(random uint64) int {
	if random < d.first.below {
		return d.first.variant
	}
	for _, b := range d.more {
		if random < b.below {
			return b.variant
		}
	}
	return d.rest
}

// voteSalt is what tells apart the votes of one user at two services.
func voteSalt(service string) uint64 {
	s := saltOf(purposeVote, service)
	return s.sum(nil)
}

// voteHash is a user's identity for counting votes, never zero. Only its spread matters, not its value, hence the cheap
// way: one plain hash of the key, then the finish of MurmurHash3 (A. Appleby) over it and the service's salt.
func voteHash(salt uint64, key []byte) uint64 {
	high, low := bits.Mul64(xxhash.Sum64(key)^salt, 0x9e3779b97f4a7c15)
	h := high ^ low
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	if h == 0 {
		return 1
	}
	return h
}
