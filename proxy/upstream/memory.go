package upstream

import (
	"sync"
	"sync/atomic"

	"haldane/proxy/http1"
)

const (
	smallSize = 16 << 10
	largeSize = 32 << 10
	hugeSize  = 256 << 10
)

// hugeMost bounds the huge blocks that are in use at an endpoint at a time.
const hugeMost = 16

// smallBlock is what one exchange needs: the heads of both messages, one after the other, and a small body.
type smallBlock struct {
	octets [smallSize]byte
	fields [64]http1.Field
}

// largeBlock is what a large body is carried in.
type largeBlock [largeSize]byte

// hugeBlock is what a large upload is carried in that comes as fast as it can be read.
type hugeBlock [hugeSize]byte

// memory lends blocks to exchanges. An idle connection holds none.
type memory struct {
	small, large, huge sync.Pool
	hugeUsed           atomic.Int32
}

func (m *memory) takeSmall() *smallBlock {
	if b, ok := m.small.Get().(*smallBlock); ok {
		return b
	}
	return new(smallBlock)
}

func (m *memory) takeLarge() *largeBlock {
	if b, ok := m.large.Get().(*largeBlock); ok {
		return b
	}
	return new(largeBlock)
}

// takeHuge returns nil when too many are in use.
func (m *memory) takeHuge() *hugeBlock {
	if m.hugeUsed.Add(1) > hugeMost {
		m.hugeUsed.Add(-1)
		return nil
	}
	if b, ok := m.huge.Get().(*hugeBlock); ok {
		return b
	}
	return new(hugeBlock)
}

func (m *memory) giveHuge(b *hugeBlock) {
	if b != nil {
		m.hugeUsed.Add(-1)
		m.huge.Put(b)
	}
}

func (m *memory) giveSmall(b *smallBlock) {
	if b != nil {
		m.small.Put(b)
	}
}

func (m *memory) giveLarge(b *largeBlock) {
	if b != nil {
		m.large.Put(b)
	}
}
