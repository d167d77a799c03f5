package upstream

import (
	"sync"

	"haldane/proxy/http1"
)

const (
	smallSize = 16 << 10
	largeSize = 32 << 10
)

// smallBlock is what one exchange needs: the heads of both messages, one after the other, and a small body.
type smallBlock struct {
	octets [smallSize]byte
	fields [64]http1.Field
}

// largeBlock is what a large body is carried in.
type largeBlock [largeSize]byte

// memory lends blocks to exchanges. An idle connection holds none.
type memory struct {
	small, large sync.Pool
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
