package store

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// What is known here of bbolt's file format, version 2 (go.etcd.io/bbolt, internal/common): numbers are in the byte order of
// the machine. A page begins with id (8 bytes), flags (2), count (2) and overflow (4).
const (
	pageHead = 16
	metaSize = 64 // magic, version, page size, flags, root, sequence, freelist, high water, transaction, checksum
	elemSize = 16 // of a branch: position, key size, page; of a leaf: flags, position, key size, value size

	magic         = 0xED0CDAED
	formatVersion = 2

	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageFreelist = 0x10

	leafBucket     = 0x01 // the value of a leaf is a bucket: root (8) and sequence (8), then a page if the root is 0
	bucketSize     = 16
	manyFree       = 0xFFFF     // a freelist whose count stands in its first element
	noFreelist     = ^uint64(0) // there is none: it is made anew at each start
	smallestPage   = 1 << 10
	largestPage    = 64 << 10
	metaPages      = 2
	largestPageRun = 64 << 20 // one value, in bytes; ours have some KiB
)

// meta is one of the two pages that a file begins with.
type meta struct {
	pageSize, root, freelist, high, tx uint64
}

// checkPages walks over all pages in use, and says what bbolt would stumble over.
func checkPages(r io.ReaderAt, size int64) error {
	m, err := findMeta(r, size)
	if err != nil {
		return err
	}
	w := &walk{r: r, pageSize: m.pageSize, high: m.high}
	if m.high < metaPages || m.high > uint64(size)/m.pageSize {
		return fmt.Errorf("%w: of %d pages %d are there", errDamaged, m.high, uint64(size)/m.pageSize)
	}
	w.seen = make([]bool, m.high)
	w.seen[0], w.seen[1] = true, true
	if err := w.tree(m.root, bounds{}); err != nil {
		return err
	}
	if m.freelist == noFreelist {
		return nil
	}
	return w.free(m.freelist)
}

// findMeta is the newer of the two meta pages that are whole. The other one may be from a write that was cut off.
func findMeta(r io.ReaderAt, size int64) (meta, error) {
	first, whole := readMeta(r, 0)
	if whole {
		second, both := readMeta(r, int64(first.pageSize))
		if both && second.pageSize == first.pageSize && second.tx > first.tx {
			return second, nil
		}
		return first, nil
	}
	for at := int64(smallestPage); at <= largestPage && at < size; at *= 2 {
		if second, whole := readMeta(r, at); whole && second.pageSize == uint64(at) {
			return second, nil
		}
	}
	return meta{}, fmt.Errorf("%w: neither of its first two pages is whole", errDamaged)
}

// readMeta reads the meta page at an offset; false when it is none.
func readMeta(r io.ReaderAt, at int64) (meta, bool) {
	buffer := make([]byte, metaSize)
	if readAt(r, buffer, at+pageHead) != nil {
		return meta{}, false
	}
	order := binary.NativeEndian
	m := meta{
		pageSize: uint64(order.Uint32(buffer[8:])), root: order.Uint64(buffer[16:]), freelist: order.Uint64(buffer[32:]),
		high: order.Uint64(buffer[40:]), tx: order.Uint64(buffer[48:]),
	}
	hash := fnv.New64a()
	_, _ = hash.Write(buffer[:56])
	fits := order.Uint32(buffer) == magic && order.Uint32(buffer[4:]) == formatVersion && order.Uint64(buffer[56:]) == hash.Sum64()
	return m, fits && m.pageSize >= smallestPage && m.pageSize <= largestPage && m.pageSize&(m.pageSize-1) == 0
}

// walk goes over pages, each of which belongs to one place.
type walk struct {
	r              io.ReaderAt
	pageSize, high uint64
	seen           []bool
}

// bounds are the keys that a page may have: from (with it) and to (without); nil for any.
type bounds struct{ from, to []byte }

func (w *walk) damaged(id uint64, format string, args ...any) error {
	return fmt.Errorf("%w: page %d %s", errDamaged, id, fmt.Sprintf(format, args...))
}

// read reads a page with all that it runs over, and marks it as seen.
func (w *walk) read(id uint64) (page, error) {
	if id < metaPages || id >= w.high {
		return page{}, w.damaged(id, "is outside")
	}
	head := make([]byte, pageHead)
	if err := readAt(w.r, head, int64(id*w.pageSize)); err != nil {
		return page{}, err
	}
	p := page{id: binary.NativeEndian.Uint64(head), flags: binary.NativeEndian.Uint16(head[8:]), count: int(binary.NativeEndian.Uint16(head[10:]))}
	run := uint64(binary.NativeEndian.Uint32(head[12:])) + 1
	if p.id != id || run > w.high-id || run*w.pageSize > largestPageRun {
		return page{}, w.damaged(id, "is another one")
	}
	for i := range run {
		if w.seen[id+i] {
			return page{}, w.damaged(id+i, "is in two places")
		}
		w.seen[id+i] = true
	}
	p.bytes = make([]byte, run*w.pageSize)
	return p, readAt(w.r, p.bytes, int64(id*w.pageSize))
}

// tree checks the page of a tree and all below it.
func (w *walk) tree(id uint64, keys bounds) error {
	p, err := w.read(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case pageLeaf:
		return w.leaf(&p, keys)
	case pageBranch:
		return w.branch(&p, keys)
	}
	return w.damaged(id, "is of no kind")
}

// branch checks the keys of a branch and the pages below it.
func (w *walk) branch(p *page, keys bounds) error {
	if p.count == 0 {
		return w.damaged(p.id, "leads nowhere")
	}
	children, list := make([]uint64, p.count), make([][]byte, p.count)
	for i := range p.count {
		elem, fits := p.element(i)
		if !fits {
			return w.damaged(p.id, "ends in the middle of an element")
		}
		key, _, fits := p.content(i, elem[0:], elem[4:], nil)
		if !fits {
			return w.damaged(p.id, "has an element outside of it")
		}
		list[i], children[i] = key, binary.NativeEndian.Uint64(elem[8:])
	}
	if !sorted(list, keys) {
		return w.damaged(p.id, "is out of order")
	}
	for i, child := range children {
		below := bounds{from: list[i], to: keys.to}
		if i+1 < len(list) {
			below.to = list[i+1]
		}
		if err := w.tree(child, below); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks the keys of a leaf and the buckets in it.
func (w *walk) leaf(p *page, keys bounds) error {
	list := make([][]byte, p.count)
	for i := range p.count {
		elem, fits := p.element(i)
		if !fits {
			return w.damaged(p.id, "ends in the middle of an element")
		}
		key, value, fits := p.content(i, elem[4:], elem[8:], elem[12:])
		if !fits {
			return w.damaged(p.id, "has an element outside of it")
		}
		list[i] = key
		switch flags := binary.NativeEndian.Uint32(elem); flags {
		case 0:
		case leafBucket:
			if err := w.bucket(p.id, value); err != nil {
				return err
			}
		default:
			return w.damaged(p.id, "has an element of no kind")
		}
	}
	if !sorted(list, keys) {
		return w.damaged(p.id, "is out of order")
	}
	return nil
}

// bucket checks a bucket, which has pages of its own or stands in the value itself.
func (w *walk) bucket(id uint64, value []byte) error {
	if len(value) < bucketSize {
		return w.damaged(id, "has a bucket that is cut off")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(root, bounds{})
	}
	inside := value[bucketSize:]
	if len(inside) < pageHead || binary.NativeEndian.Uint16(inside[8:]) != pageLeaf || binary.NativeEndian.Uint32(inside[12:]) != 0 {
		return w.damaged(id, "has a bucket without a page")
	}
	return w.leaf(&page{id: id, flags: pageLeaf, count: int(binary.NativeEndian.Uint16(inside[10:])), bytes: inside}, bounds{})
}

// free checks the list of free pages, none of which may be in use.
func (w *walk) free(id uint64) error {
	p, err := w.read(id)
	if err != nil {
		return err
	}
	if p.flags != pageFreelist {
		return w.damaged(id, "is no list of free pages")
	}
	list, count := p.bytes[pageHead:], uint64(p.count)
	if p.count == manyFree {
		count, list = binary.NativeEndian.Uint64(list), list[8:]
	}
	if count > uint64(len(list)/8) {
		return w.damaged(id, "is cut off")
	}
	for i := range count {
		free := binary.NativeEndian.Uint64(list[8*i:])
		if free < metaPages || free >= w.high || w.seen[free] {
			return w.damaged(id, "calls page %d free", free)
		}
		w.seen[free] = true
	}
	for at, seen := range w.seen {
		if !seen {
			return w.damaged(uint64(at), "is nowhere")
		}
	}
	return nil
}
