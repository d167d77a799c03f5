package proxy

import (
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// bufferSize is the most of a response that is in memory at a time, and blockSize that of one with a large body.
const (
	bufferSize = 16 << 10
	blockSize  = upstream.LargePiece
)

// blocksMost bounds the blocks that are in use at a time: whoever takes nothing at all holds what he has. Who finds no block is served
// from a buffer, and costs more for each octet.
const blocksMost = 32

// fastBody is how many octets of a body there must be in a second for it to be carried in a block: with fewer, the memory is worth more than the
// processor's time.
const fastBody = 512 << 10

// Room that the chunked coding needs around the data in the buffer: up to four hexadecimal digits and CRLF in front, CRLF
// behind (RFC 9112 section 7.1).
const (
	chunkFront = 4 + 2
	chunkBack  = 2

	_ = uint(0xffff + chunkFront + chunkBack - blockSize) // for four digits
)

// writer gathers a response and writes it to the client in as few writes as its timing allows.
type writer struct {
	conn    *clientConn
	buffer  *[bufferSize]byte
	block   *[blockSize]byte // in the place of buffer, for a large body; nil otherwise
	out     []byte           // what waits to be written, at the start of either
	framing int64            // LengthChunked frames what is committed; everything else is written as it is
	begun   bool             // something is on its way
	filled  bool             // the last piece of the body took most of its space
	now     time.Time        // about now, for the next write; zero: it has to look
	last    time.Time        // of the last write; zero before the first
	bytes   int64            // written, heads and framing included
}

// open begins a response with so many octets of body; less than zero for an unknown number.
func (w *writer) open(conn *clientConn, length int64) {
	w.conn = conn
	if length <= bufferSize || !w.takeBlock() {
		w.buffer = conn.server.buffers.Get().(*[bufferSize]byte)
	}
	w.empty()
}

// empty forgets what was written. The head of a response may have outgrown the memory, which is enough for anything else.
func (w *writer) empty() {
	if w.block != nil {
		w.out = w.block[:0]
		return
	}
	w.out = w.buffer[:0]
}

// close gives the memory back.
func (w *writer) close() {
	if w.block != nil {
		w.giveBlock()
	}
	if w.buffer != nil {
		w.conn.server.buffers.Put(w.buffer)
	}
	w.buffer, w.out = nil, nil
}

// takeBlock says whether there was a block to be had.
func (w *writer) takeBlock() bool {
	s := w.conn.server
	if s.blocksUsed.Add(1) > blocksMost {
		s.blocksUsed.Add(-1)
		return false
	}
	w.block = s.blocks.Get().(*[blockSize]byte)
	return true
}

// giveBlock gives the block back.
func (w *writer) giveBlock() {
	s := w.conn.server
	s.blocks.Put(w.block)
	s.blocksUsed.Add(-1)
	w.block = nil
}

// fit goes on in a block when there is more of the body than was known, and it comes and goes faster than a buffer takes it; and in a
// buffer when it has turned slow. What was written last took so long to come, and the piece before it to go.
func (w *writer) fit(took time.Duration) {
	buffers, slow := &w.conn.server.buffers, float64(len(w.out)) < fastBody*took.Seconds()
	if w.block != nil && slow {
		w.giveBlock()
		w.buffer = buffers.Get().(*[bufferSize]byte)
		return
	}
	if w.block == nil && !slow && w.filled && w.bytes > bufferSize && w.takeBlock() {
		buffers.Put(w.buffer)
		w.buffer = nil
	}
}

// full says whether the buffer has too little room left to be worth another read.
func (w *writer) full() bool { return cap(w.out)-len(w.out) < bufferSize/4 }

// space is where the next piece of the body is read into.
func (w *writer) space() []byte {
	if w.framing == http1.LengthChunked {
		return w.out[len(w.out)+chunkFront : cap(w.out)-chunkBack]
	}
	return w.out[len(w.out):cap(w.out)]
}

// commit takes n octets that were read into space.
func (w *writer) commit(n int) {
	w.filled = n > (cap(w.out)-len(w.out))/2
	if n == 0 {
		return
	}
	if w.framing != http1.LengthChunked {
		w.out = w.out[:len(w.out)+n]
		return
	}
	start := len(w.out)
	data := w.out[start+chunkFront : start+chunkFront+n]
	w.out = http1.AppendChunkHead(w.out, n)
	// Only a small chunk has a shorter size than there was room for, so that what is moved is small.
	w.out = append(w.out, data...)
	w.out = append(w.out, '\r', '\n')
}

// flush writes what waits. It says whether the client took it.
func (w *writer) flush() bool {
	if len(w.out) == 0 {
		return true
	}
	w.begun = true
	if w.now.IsZero() {
		w.now = time.Now()
	}
	err := w.conn.send(w.out, w.now)
	w.bytes += int64(len(w.out))
	if !w.last.IsZero() {
		w.fit(w.now.Sub(w.last))
	}
	w.empty()
	w.last, w.now = w.now, time.Time{}
	return err == nil
}

// truncate gives the client what there is of a response and then makes it plain that this is not all. With a stated
// length or chunks the end of the connection says so; without, only a reset does.
func (w *writer) truncate() {
	if w.framing != http1.LengthUntilClose {
		w.flush()
		return
	}
	w.conn.cut()
}
