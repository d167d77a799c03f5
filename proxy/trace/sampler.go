package trace

import (
	"encoding/binary"

	"haldane/config"
)

// Sampler decides which requests are recorded. The zero value records none but those that a trusted caller has recorded.
type Sampler struct {
	share  uint64 // of the rest, as a share of 2^64
	all    bool
	secret uint64
}

// NewSampler makes a sampler that records a share of the traces. The secret is mixed in before a trace's id is held against the
// share: a stranger who chooses the id of his trace does not choose whether it is recorded.
func NewSampler(share config.Percent, secret uint64) *Sampler {
	s := &Sampler{secret: secret}
	s.share, s.all = share.Fraction()
	return s
}

// Trust says whether what a caller says of its trace is believed.
type Trust bool

// Takes decides about a request. What a trusted caller has decided holds; otherwise the id of the trace does, so that all
// requests of a trace share their fate here.
func (s *Sampler) Takes(c *Context, caller Trust) bool {
	if caller {
		return c.Sampled()
	}
	return s.all || s.mix(binary.BigEndian.Uint64(c.Trace[8:])) < s.share
}

// Draws decides about a request that belongs to no trace yet, by a random number.
func (s *Sampler) Draws(random uint64) bool { return s.all || random < s.share }

// mix spreads a number over all of its values, in an order that only the secret tells (the finalizer of SplitMix64, Steele, Lea
// and Flood 2014).
func (s *Sampler) mix(n uint64) uint64 {
	n ^= s.secret
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
