package http1

// minPlace is the least room that is read in place: what is at hand takes half of it at most, so that a size line fits.
const minPlace = 2 * maxChunkLine

// FitsInPlace tells whether the next octets may be read by ReadInPlace. What the last Next returned is not valid any more.
func (c *ChunkedReader) FitsInPlace(p []byte) bool {
	c.src.Discard(c.lent)
	c.lent = 0
	return c.err == nil && c.state != chunkTrailer && len(p) >= minPlace && c.src.Len() <= len(p)/2
}

// ReadInPlace reads and decodes the body in p alone, which FitsInPlace has agreed to: what is at hand moves there, the source is
// read behind it, and the data moves to the front over the framing that it came in. So nothing but p is needed to wait for
// more. It returns the number of octets of data, which is 0 without an error only in front of the trailer section, which has
// to outlive p: Read and Next go on with it.
//
// Whatever is left over stands in p afterwards. The caller has to Move the source to other memory before it uses p.
func (c *ChunkedReader) ReadInPlace(p []byte) (int, error) {
	c.src.Move(p)
	n := 0
	for c.err == nil && c.state != chunkTrailer {
		// To fill moves what is unread to the front of p, where the data is from then on.
		c.peeking = n > 0
		err := c.moveData(p, &n)
		if err == errWouldWait {
			break
		}
		c.err = err
	}
	c.peeking = false
	if n > 0 {
		return n, nil
	}
	return 0, c.err
}

// moveData moves the data at hand to p[n:], or waits for it, or reads what stands before it.
func (c *ChunkedReader) moveData(p []byte, n *int) error {
	if c.state != chunkData {
		return c.step()
	}
	if c.src.Len() == 0 {
		return c.fill()
	}
	piece := c.src.Bytes()
	if int64(len(piece)) > c.left {
		piece = piece[:c.left]
	}
	*n += copy(p[*n:], piece)
	c.src.Discard(len(piece))
	c.take(int64(len(piece)))
	return nil
}
