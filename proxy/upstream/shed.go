package upstream

// How the memory of a body that is being read grows and shrinks.

// minBodyRoom is the room that a body needs behind its head in the same block: chunk lines and trailers must fit.
const minBodyRoom = 8 << 10

// largeBody is what must be left of a body, or must have come of one whose length is not known, for a block of its own to be
// worth it, or for none at all.
const largeBody = smallSize

// widen lets the body continue in a block of its own.
func (r *Response) widen() {
	c := r.conn
	if c.rest != nil || c.buf.Len() > smallSize {
		return
	}
	c.rest = c.endpoint.memory.takeSmall()
	c.buf.Move(c.rest.octets[:])
}

// DropHead says that Fields and Reason are not used any more. Their memory may then be given back while the body is still
// being read, so that it is not held by whoever is slow to take it.
func (r *Response) DropHead() {
	r.Fields, r.Reason = nil, nil
	r.headless = true
}

// large says that the body is worth giving memory back for.
func (r *Response) large() bool {
	return r.left > largeBody || r.Length < 0 && r.read > largeBody
}

// shed gives the memory back that a large body of which nothing is at hand has no use for: Read has its own.
func (r *Response) shed() {
	if c := r.conn; r.headless && c.head != nil && c.buf.Len() == 0 && r.large() {
		c.buf.Move(nil)
		c.giveBlocks()
	}
}

// readChunks reads a chunked body into p. A large one is decoded in p itself, so that neither a slow reader nor a slow endpoint
// makes it hold a block; it takes one only for what a read has left over: a part of a chunk-size line, or the trailer section.
func (r *Response) readChunks(p []byte) (int, error) {
	c := r.conn
	if r.headless && r.large() && r.chunks.FitsInPlace(p) {
		n, err := r.chunks.ReadInPlace(p)
		if c.buf.Len() > 0 {
			c.house()
		} else {
			c.buf.Move(nil)
			c.giveBlocks()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	if c.head == nil && c.rest == nil && c.wide == nil {
		c.house()
	}
	return r.chunks.Read(p)
}

// house moves what is at hand into a small block, and gives all others back. There must be no head in it any more. What one read has
// brought behind the end of a body may be more than that: memory is made for it, since none of it may be lost.
func (c *conn) house() {
	m := &c.endpoint.memory
	if c.buf.Len() > smallSize {
		wide := make([]byte, c.buf.Len()+minBodyRoom)
		c.buf.Move(wide)
		c.giveBlocks()
		c.wide = wide
		return
	}
	if c.head == nil {
		c.head = m.takeSmall()
	}
	c.buf.Move(c.head.octets[:])
	m.giveSmall(c.rest)
	c.rest, c.wide = nil, nil
}
