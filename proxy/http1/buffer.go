package http1

import "io"

// ErrBufferFull says that Fill has no room left: what is being waited for is larger than the buffer.
const ErrBufferFull = sentinel("read buffer is full")

// directRead is the size from which a Read goes straight to the source.
const directRead = 4096

// Buffer is the read buffer of one connection. Its memory is lent by the caller, so that a connection that waits holds none.
// The zero value is empty and has no source; Reset gives it one.
type Buffer struct {
	src  io.Reader
	mem  []byte
	base int // everything before it stays where it is
	r, w int // mem[r:w] is unread
	err  error
}

// Reset makes the buffer read from src into mem and forgets what it had.
func (b *Buffer) Reset(src io.Reader, mem []byte) { *b = Buffer{src: src, mem: mem} }

// Bytes returns the unread bytes, which stay valid until the next Fill, Read or Move.
func (b *Buffer) Bytes() []byte { return b.mem[b.r:b.w] }

// Len returns the number of unread bytes.
func (b *Buffer) Len() int { return b.w - b.r }

// Room returns how many unread bytes the buffer can hold in all.
func (b *Buffer) Room() int { return len(b.mem) - b.base }

// Discard drops the first n unread bytes.
func (b *Buffer) Discard(n int) { b.r += n }

// Keep makes everything that was discarded until now stay where it is until Reset or Move: slices into it remain valid.
func (b *Buffer) Keep() { b.base = b.r }

// Move continues in other memory, which must hold the unread bytes: it panics otherwise, since a byte that is lost would let a later
// message begin in the middle. The old memory is no longer touched; slices into it stay valid for as long as its owner leaves it alone.
func (b *Buffer) Move(mem []byte) {
	if len(mem) < b.Len() {
		panic("http1: too little memory to move to")
	}
	n := copy(mem, b.Bytes())
	b.mem, b.base, b.r, b.w = mem, 0, 0, n
}

// Fill reads once from the source and adds what came to the unread bytes. It returns nil if at least one byte came,
// ErrBufferFull without room, else the source's error. An error that comes together with bytes is returned by the next call.
func (b *Buffer) Fill() error {
	if b.err != nil {
		return b.err
	}
	if b.r == b.w {
		b.r, b.w = b.base, b.base
	}
	if b.w == len(b.mem) {
		if b.r == b.base {
			return ErrBufferFull
		}
		b.w = b.base + copy(b.mem[b.base:], b.mem[b.r:b.w])
		b.r = b.base
	}
	n, err := readSome(b.src, b.mem[b.w:])
	b.w += n
	if n > 0 {
		b.err = err
		return nil
	}
	return err
}

// Filled adds the n bytes to the unread ones that the caller has put into the memory of an empty buffer itself, at its beginning.
func (b *Buffer) Filled(n int) { b.w += n }

// Read takes unread bytes, or reads from the source: straight into p when p is large enough to be worth it.
func (b *Buffer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.r == b.w {
		if b.err != nil {
			return 0, b.err
		}
		if len(p) >= b.Room() || len(p) >= directRead {
			n, err := readSome(b.src, p)
			if n > 0 {
				b.err = err
				return n, nil
			}
			return 0, err
		}
		if err := b.Fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.mem[b.r:b.w])
	b.r += n
	return n, nil
}

// readSome reads once, and again when nothing at all came, which io.Reader allows but discourages.
func readSome(src io.Reader, p []byte) (int, error) {
	for range 16 {
		if n, err := src.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}
