package stats

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sync/atomic"
)

// crowd counts distinct users in fixed memory, by linear counting (Whang, Vander-Zanden and Taylor, 1990): a user is one of
// voterBits bits, and how many bits are set tells how many users there were. The standard error is below 0.6 % of up to 200,000
// users, and that of a few hundred less than one user. All requests may use it at the same time.
type crowd struct {
	bitmap
	base uint64        // users that are counted beside those of the bitmap
	full atomic.Uint64 // how many bits are set when the limit is reached
	told atomic.Bool   // that it has been
}

// newCrowd is a crowd with what bytes has written, of so many users in all.
func newCrowd(users uint64, written []byte) *crowd {
	c := &crowd{}
	if len(written) == len(c.words)*8 {
		var ones int
		for i := range c.words {
			word := binary.LittleEndian.Uint64(written[i*8:])
			c.words[i].Store(word)
			ones += bits.OnesCount64(word)
		}
		c.ones.Store(uint64(ones))
	}
	c.base = users - min(users, c.users())
	return c
}

// limit says how many users are too many.
func (c *crowd) limit(users uint64) {
	left := float64(users - min(users, c.base))
	full := uint64(math.Ceil(voterBits * -math.Expm1(-left/voterBits)))
	if c.full.Swap(full) != full {
		c.told.Store(false)
	}
}

// add notes a user. It says whether that one was not known, and one too many.
func (c *crowd) add(user uint64) (tooMany bool) {
	first, ones := c.set(user)
	return first && ones >= c.full.Load()
}

// users is how many there were.
func (c *crowd) users() uint64 {
	if c == nil {
		return 0
	}
	unset := max(1, voterBits-float64(c.ones.Load())) // the most it can tell
	return c.base + uint64(math.Round(-voterBits*math.Log(unset/voterBits)))
}

// bytes are the bits, for newCrowd.
func (c *crowd) bytes() []byte {
	if c == nil {
		return nil
	}
	written := make([]byte, 0, len(c.words)*8)
	for i := range c.words {
		written = binary.LittleEndian.AppendUint64(written, c.words[i].Load())
	}
	return written
}
