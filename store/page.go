package store

import (
	"bytes"
	"encoding/binary"
)

// page is one page, with those it runs over.
type page struct {
	id    uint64
	flags uint16
	count int
	bytes []byte
}

// element is the i-th head of an element; false when the page ends before.
func (p *page) element(i int) ([]byte, bool) {
	at := pageHead + i*elemSize
	if at+elemSize > len(p.bytes) {
		return nil, false
	}
	return p.bytes[at : at+elemSize], true
}

// content is key and value of the i-th element, whose position counts from its head. Without a value size it has no value.
func (p *page) content(i int, position, keySize, valueSize []byte) (key, value []byte, fits bool) {
	at := uint64(pageHead+i*elemSize) + uint64(binary.NativeEndian.Uint32(position))
	end := at + uint64(binary.NativeEndian.Uint32(keySize))
	last := end
	if valueSize != nil {
		last += uint64(binary.NativeEndian.Uint32(valueSize))
	}
	if at < uint64(pageHead+p.count*elemSize) || last > uint64(len(p.bytes)) {
		return nil, nil, false
	}
	return p.bytes[at:end], p.bytes[end:last], true
}

// sorted says whether the keys grow and are within the bounds.
func sorted(keys [][]byte, within bounds) bool {
	for i, key := range keys {
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 {
			return false
		}
	}
	if len(keys) == 0 {
		return true
	}
	return bytes.Compare(keys[0], within.from) >= 0 && (within.to == nil || bytes.Compare(keys[len(keys)-1], within.to) < 0)
}
