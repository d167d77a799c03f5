package proxy

import (
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// bufferSize is the most of a response that is in memory at a time.
const bufferSize = 16 << 10

// Room that the chunked coding needs around the data in the buffer: up to four hexadecimal digits and CRLF in front, CRLF
// behind (RFC 9112 section 7.1).
const (
	chunkFront = 4 + 2
	chunkBack  = 2
)

// writer gathers a response and writes it to the client in as few writes as its timing allows.
type writer struct {
	conn    *clientConn
	buffer  *[bufferSize]byte
	out     []byte         // what waits to be written, at the start of buffer
	framing int64          // LengthChunked frames what is committed; everything else is written as it is
	begun   bool           // something is on its way
	pipe    *upstream.Pipe // for what is large; nil until there is something large
	now     time.Time      // about now, for the next write; zero: it has to look
	bytes   int64          // written, heads and framing included
}

func (w *writer) open(conn *clientConn) {
	w.conn = conn
	w.buffer = conn.server.buffers.Get().(*[bufferSize]byte)
	w.out = w.buffer[:0]
}

func (w *writer) close() {
	if w.pipe != nil {
		w.pipe.Close()
		w.pipe = nil
		w.conn.server.pipes.Add(-1)
	}
	w.giveBuffer()
}

func (w *writer) giveBuffer() {
	if w.buffer != nil {
		w.conn.server.buffers.Put(w.buffer)
		w.buffer, w.out = nil, nil
	}
}

// full says whether the buffer has too little room left to be worth another read. A pipe is emptied before each.
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
	if w.pipe != nil && w.pipe.Held() > 0 {
		w.bytes += int64(w.pipe.Held())
		return w.conn.sendPiped(w.pipe) == nil
	}
	if len(w.out) == 0 {
		return true
	}
	w.begun = true
	if w.now.IsZero() {
		w.now = time.Now()
	}
	err := w.conn.send(w.out, w.now)
	w.now = time.Time{}
	w.bytes += int64(len(w.out))
	w.out = w.buffer[:0]
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
