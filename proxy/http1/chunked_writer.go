package http1

import "io"

const (
	// ChunkHeadroom is the room that FrameChunk needs before the data: eight digits and CRLF.
	ChunkHeadroom = 10
	// ChunkTailroom is the room that FrameChunk needs behind the data.
	ChunkTailroom = 2
)

// FrameChunk makes one chunk (RFC 9112 section 7.1) around the n octets of data that stand at buf[ChunkHeadroom:], and
// returns it. The data does not move. n must be above 0 (a chunk of size 0 would end the body) and below 2^32.
func FrameChunk(buf []byte, n int) []byte {
	start := ChunkHeadroom
	start--
	buf[start] = '\n'
	start--
	buf[start] = '\r'
	for size := n; size > 0; size >>= 4 {
		start--
		buf[start] = hexDigit(size & 15)
	}
	end := ChunkHeadroom + n
	buf[end], buf[end+1] = '\r', '\n'
	return buf[start : end+ChunkTailroom]
}

// AppendChunkHead appends the size line of a chunk of n octets; the data and CRLF follow. n must be above 0.
func AppendChunkHead(dst []byte, n int) []byte {
	var line [18]byte
	start := len(line)
	for size := n; size > 0; size >>= 4 {
		start--
		line[start] = hexDigit(size & 15)
	}
	dst = append(dst, line[start:]...)
	return append(dst, '\r', '\n')
}

// AppendLastChunk appends the end of a chunked body with its trailer fields. Fields that must not be trailers (see
// ForbiddenTrailer) are left out.
func AppendLastChunk(dst []byte, trailers Fields) []byte {
	dst = append(dst, '0', '\r', '\n')
	for i := range trailers {
		if !ForbiddenTrailer(trailers[i].Name) {
			dst = AppendFields(dst, trailers[i:i+1])
		}
	}
	return append(dst, '\r', '\n')
}

// ChunkedWriter writes a body in the chunked transfer coding, one chunk per Write. The writer under it should be
// buffered. The body ends with Close and with nothing else, so an error leaves it visibly incomplete.
type ChunkedWriter struct {
	w       io.Writer
	scratch []byte
}

// Reset makes the writer write a new body to w.
func (c *ChunkedWriter) Reset(w io.Writer) { c.w = w }

// Write writes p as one chunk; an empty p writes nothing, since an empty chunk would end the body.
func (c *ChunkedWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.scratch = AppendChunkHead(c.scratch[:0], len(p))
	if _, err := c.w.Write(c.scratch); err != nil {
		return 0, err
	}
	if n, err := c.w.Write(p); err != nil {
		return n, err
	}
	c.scratch = append(c.scratch[:0], '\r', '\n')
	_, err := c.w.Write(c.scratch)
	return len(p), err
}

// Close writes the last chunk and the trailers. It does not flush or close the writer under it.
func (c *ChunkedWriter) Close(trailers Fields) error {
	c.scratch = AppendLastChunk(c.scratch[:0], trailers)
	_, err := c.w.Write(c.scratch)
	return err
}

func hexDigit(n int) byte { return "0123456789abcdef"[n] }
