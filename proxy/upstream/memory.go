package upstream

import (
	"sync"
	"sync/atomic"

	"haldane/proxy/http1"
)

const smallSize = 16 << 10

// LargePiece is how much of a large body is read and written at a time, in octets. The larger the pieces the fewer the calls, up to here:
// pieces of 64 KiB, which with its headers is more than a packet of the loopback device takes, cost more than twice as much where the
// system's congestion control is BBR, and no less where it is cubic (docs/PERFORMANCE.md).
const LargePiece = 56 << 10

// largeMost bounds the large blocks that are in use at an endpoint at a time.
const largeMost = 64

// smallBlock is what one exchange needs: the heads of both messages, one after the other, and a small body.
type smallBlock struct {
	octets [smallSize]byte
	fields [64]http1.Field
}

// largeBlock is what a large upload is carried in that comes as fast as it can be read.
type largeBlock [LargePiece]byte

// memory lends blocks to exchanges. An idle connection holds none.
type memory struct {
	small, large sync.Pool
	largeUsed    atomic.Int32
}

func (m *memory) takeSmall() *smallBlock {
	if b, ok := m.small.Get().(*smallBlock); ok {
		return b
	}
	return new(smallBlock)
}

// takeLarge returns nil when too many are in use.
func (m *memory) takeLarge() *largeBlock {
	if m.largeUsed.Add(1) > largeMost {
		m.largeUsed.Add(-1)
		return nil
	}
	if b, ok := m.large.Get().(*largeBlock); ok {
		return b
	}
	return new(largeBlock)
}

func (m *memory) giveSmall(b *smallBlock) {
	if b != nil {
		m.small.Put(b)
	}
}

func (m *memory) giveLarge(b *largeBlock) {
	if b != nil {
		m.largeUsed.Add(-1)
		m.large.Put(b)
	}
}
