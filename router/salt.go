package router

import (
	"encoding/binary"
	"math/bits"
)

// salt is a hash that has read everything but the key: XXH64 (Y. Collet, "xxHash fast digest algorithm") in the middle. Nearly
// every key ends within the stripe that was begun; then the hash reads a few words of the salt and does not copy it. It is
// never written to, so that any number of requests may go on from it at the same time.
type salt struct {
	read  uint64       // how many bytes
	base  uint64       // what the end of the hash begins with, as long as no other stripe is full
	rest  [stripe]byte // the stripe that was begun
	lanes [4]uint64    // of the full stripes
}

// stripe is what XXH64 reads at a time.
const stripe = 32

// The primes of XXH64.
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

// saltOf reads the parts, each followed by a zero byte. Names hold no zero byte, so that two lists of parts never read
// alike.
func saltOf(p purpose, parts ...string) salt {
	seed, first := uint64(p), prime1
	s := salt{base: seed + prime5, lanes: [4]uint64{seed + first + prime2, seed + prime2, seed, seed - first}}
	for _, part := range parts {
		s.add([]byte(part))
		s.add([]byte{0})
	}
	return s
}

// sum is the hash of a key: XXH64, whose own finish spreads a change of any bit over all 64, also with keys of one byte.
func (s *salt) sum(key []byte) uint64 {
	begun := int(s.read % stripe)
	if begun+len(key) >= stripe {
		longer := *s
		longer.add(key)
		return longer.sum(nil)
	}
	rest := s.rest
	copy(rest[begun:], key)
	return finish(s.base+s.read+uint64(len(key)), rest[:begun+len(key)])
}

// add reads on.
func (s *salt) add(text []byte) {
	for len(text) > 0 {
		begun := s.read % stripe
		n := copy(s.rest[begun:], text)
		text = text[n:]
		if s.read += uint64(n); s.read%stripe != 0 {
			continue
		}
		for i := range s.lanes {
			s.lanes[i] = round(s.lanes[i], binary.LittleEndian.Uint64(s.rest[8*i:]))
		}
		s.base = bits.RotateLeft64(s.lanes[0], 1) + bits.RotateLeft64(s.lanes[1], 7) +
			bits.RotateLeft64(s.lanes[2], 12) + bits.RotateLeft64(s.lanes[3], 18)
		for _, lane := range s.lanes {
			s.base = (s.base^round(0, lane))*prime1 + prime4
		}
	}
}

// round takes a word into a lane.
func round(lane, word uint64) uint64 { return bits.RotateLeft64(lane+word*prime2, 31) * prime1 }

// finish takes in what is left of less than a stripe, and mixes.
func finish(h uint64, rest []byte) uint64 {
	for ; len(rest) >= 8; rest = rest[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(rest)), 27)*prime1 + prime4
	}
	if len(rest) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(rest))*prime1, 23)*prime2 + prime3
		rest = rest[4:]
	}
	for _, b := range rest {
		h = bits.RotateLeft64(h^uint64(b)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
