package upstream

import (
	"sync"
	"sync/atomic"

	"haldane/proxy/http1"
)

const (
	smallSize = 16 << 10
	largeSize = LargePiece
)

// LargePiece is how much of a large body is read and written at a time, in octets. The larger the pieces the fewer the calls, up to here:
// a piece that does not fit into one packet of the loopback device, which takes 64 KiB with its headers, makes two, and pieces of
// 64 KiB took more than twice the processor's time of these (docs/PERFORMANCE.md). The packets of other devices are smaller than either.
const LargePiece = 56 << 10

// uploadsMost bounds the large blocks that uploads to an endpoint hold at a time.
const uploadsMost = 64

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
	uploads      atomic.Int32 // large blocks that uploads hold
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

// takeForUpload returns nil when too many uploads hold one.
func (m *memory) takeForUpload() *largeBlock {
	if m.uploads.Add(1) > uploadsMost {
		m.uploads.Add(-1)
		return nil
	}
	return m.takeLarge()
}

// giveOfUpload gives back what takeForUpload gave.
func (m *memory) giveOfUpload(b *largeBlock) {
	if b != nil {
		m.uploads.Add(-1)
		m.giveLarge(b)
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
