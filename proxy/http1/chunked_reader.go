package http1

import "io"

const (
	// maxChunkLine bounds a chunk-size line with its extensions.
	maxChunkLine = 1024
	// maxSizeDigits keeps a chunk size below 2^60, far from where it could wrap (RFC 9112 section 7.1 asks for care).
	maxSizeDigits = 15
	// maxExcess bounds the octets that are not data over the whole body, beyond what honest chunks need: a sender of
	// one-octet chunks with long extensions makes its reader work for nothing.
	maxExcess = 16 << 10
	// freeExcess is what each chunk may spend on its size line without being counted.
	freeExcess = 16
	// maxTrailers and maxTrailerSize bound the trailer section.
	maxTrailers    = 64
	maxTrailerSize = 16 << 10
)

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkData
	chunkDataEnd
	chunkTrailer
)

// ChunkedReader decodes a body in the chunked transfer coding (RFC 9112 section 7.1). It is strict: sizes are 1*HEXDIG,
// lines end with CRLF, extensions are bounded and dropped, and only the last chunk with a complete trailer section is an end;
// a source that ends before is io.ErrUnexpectedEOF. Errors are final: every later call returns the same.
type ChunkedReader struct {
	src      *Buffer
	left     int64 // data octets of this chunk that were not handed out yet
	lent     int   // octets of src that the last Next lent to its caller
	excess   int64
	state    chunkState
	trailers Fields
	err      error
	peeking  bool // fill must not wait
}

// errWouldWait stops step where it would have to wait.
const errWouldWait = sentinel("octets are not at hand")

// Reset makes the reader decode a new body from src.
func (c *ChunkedReader) Reset(src *Buffer) {
	*c = ChunkedReader{src: src, trailers: c.trailers[:0]}
}

// Trailers returns the trailer fields after io.EOF, without those that must not be trailers. They alias the buffer.
func (c *ChunkedReader) Trailers() Fields {
	if c.err != io.EOF {
		return nil
	}
	return c.trailers
}

// Next returns the next octets of the body without copying them, at least one, and waits only when none are at hand. They
// stay valid until the next call of Next or Read. At the end it returns io.EOF.
func (c *ChunkedReader) Next() ([]byte, error) {
	c.src.Discard(c.lent)
	c.lent = 0
	for c.err == nil {
		if c.state == chunkData {
			if c.src.Len() == 0 {
				if c.err = c.fill(); c.err != nil {
					break
				}
			}
			piece := c.src.Bytes()
			if int64(len(piece)) > c.left {
				piece = piece[:c.left]
			}
			c.take(int64(len(piece)))
			c.lent = len(piece)
			return piece, nil
		}
		c.err = c.step()
	}
	return nil, c.err
}

// Read copies the next octets of the body into p. A large p is filled straight from the source.
func (c *ChunkedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.err == nil && c.state == chunkData && len(p) >= directRead && c.src.Len() == c.lent {
		return c.readDirect(p)
	}
	piece, err := c.Next()
	if err != nil {
		return 0, err
	}
	n := copy(p, piece)
	if n < len(piece) {
		c.left += int64(len(piece) - n)
		c.state = chunkData
		c.lent = n
	}
	return n, nil
}

// readDirect reads data of the current chunk into p without passing it through the buffer, which is empty.
func (c *ChunkedReader) readDirect(p []byte) (int, error) {
	c.src.Discard(c.lent)
	c.lent = 0
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.src.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	c.err = err
	c.take(int64(n))
	return n, err
}

// Ready tells whether Next would return without waiting, be it data, the end or an error. What the last Next returned stays
// valid.
func (c *ChunkedReader) Ready() bool {
	c.src.Discard(c.lent)
	c.lent = 0
	c.peeking = true
	defer func() { c.peeking = false }()
	for c.err == nil {
		if c.state == chunkData {
			return c.src.Len() > 0
		}
		err := c.step()
		if err == errWouldWait {
			return false
		}
		c.err = err
	}
	return true
}

// take accounts for n octets of data handed out.
func (c *ChunkedReader) take(n int64) {
	if c.left -= n; c.left == 0 {
		c.state = chunkDataEnd
	}
}

// step reads what stands between the data of two chunks, one part at a time.
func (c *ChunkedReader) step() error {
	switch c.state {
	case chunkSize:
		return c.readSize()
	case chunkDataEnd:
		return c.readDataEnd()
	default:
		return c.readTrailers()
	}
}

func (c *ChunkedReader) readSize() error {
	for {
		line, _, err := cutLine(c.src.Bytes())
		if err == nil {
			return c.startChunk(line)
		}
		if err != ErrIncomplete {
			return malformed("chunk size ends with a bare LF")
		}
		if b := c.src.Bytes(); len(b) > 0 && unhex(b[0]) > 15 {
			return malformed("chunk size is not a number")
		}
		if c.src.Len() >= maxChunkLine {
			return tooLarge("chunk extensions are too long")
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *ChunkedReader) startChunk(line []byte) error {
	if len(line) > maxChunkLine {
		return tooLarge("chunk extensions are too long")
	}
	size, err := parseChunkLine(line)
	if err != nil {
		return err
	}
	c.src.Discard(len(line) + 2)
	// A chunk's own data pays for its line; what it does not pay for adds up.
	c.excess = max(0, c.excess+int64(len(line))-freeExcess-size)
	if c.excess > maxExcess {
		return tooLarge("too many chunk extensions")
	}
	c.left, c.state = size, chunkData
	if size == 0 {
		c.state = chunkTrailer
	}
	return nil
}

// parseChunkLine reads chunk-size [chunk-ext] (RFC 9112 sections 7.1, 7.1.1).
func parseChunkLine(line []byte) (int64, error) {
	var size int64
	i := 0
	for ; i < len(line) && unhex(line[i]) < 16; i++ {
		if i == maxSizeDigits {
			return 0, malformed("chunk size is too large")
		}
		size = size<<4 | int64(unhex(line[i]))
	}
	if i == 0 {
		return 0, malformed("chunk size is not a number")
	}
	ext := line[i:]
	for len(ext) > 0 && isBlank(ext[0]) {
		ext = ext[1:]
	}
	if i < len(line) && (len(ext) == 0 || ext[0] != ';') || !ValidValue(ext) {
		return 0, malformed("malformed chunk extension")
	}
	return size, nil
}

func (c *ChunkedReader) readDataEnd() error {
	for {
		b := c.src.Bytes()
		if len(b) > 0 && b[0] != '\r' || len(b) > 1 && b[1] != '\n' {
			return malformed("chunk data is not followed by CRLF")
		}
		if len(b) > 1 {
			c.src.Discard(2)
			c.state = chunkSize
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *ChunkedReader) readTrailers() error {
	for scanned, ready := 0, false; ; {
		if scanned, ready = headEnd(c.src.Bytes(), scanned); ready {
			break
		}
		if c.src.Len() > maxTrailerSize {
			return tooLarge("trailer section is too large")
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
	before := c.src.Bytes()
	trailers, rest, err := parseFieldLines(before, c.trailers[:0], maxTrailers)
	size := len(before) - len(rest)
	if err == nil && size > maxTrailerSize {
		err = tooLarge("trailer section is too large")
	}
	if err != nil {
		return err
	}
	c.trailers = dropForbidden(trailers)
	c.src.Discard(size)
	c.src.Keep()
	return io.EOF
}

// fill waits for more octets. The source may not end here.
func (c *ChunkedReader) fill() error {
	if c.peeking {
		return errWouldWait
	}
	switch err := c.src.Fill(); err {
	case io.EOF:
		return io.ErrUnexpectedEOF
	case ErrBufferFull:
		return tooLarge("line in a chunked body is too long")
	default:
		return err
	}
}
