package upstream

// carrier is the memory that an upload is carried in: a small block, and a large one as long as the client sends as fast as it is read.
// The large ones are few, and whoever turns slow gives his back.
type carrier struct {
	memory *memory
	small  *smallBlock // while there is no large one
	large  *largeBlock
	short  int // reads in a row that a small block would have been enough for
}

// shortMost is how many short reads in a row show that a client has turned slow. One does not: it may be what a reader in between
// had left of a larger piece.
const shortMost = 2

// take begins with a small block.
func (c *carrier) take(m *memory) { c.memory, c.small, c.short = m, m.takeSmall(), 0 }

// octets is the memory.
func (c *carrier) octets() []byte {
	if c.large != nil {
		return c.large[:]
	}
	return c.small.octets[:]
}

// fit changes the memory after a read that has given so many octets of those that there was room for, with so many left to come, or
// less than zero for an unknown number. What is in the memory is lost then.
func (c *carrier) fit(got, room int, left int64) {
	if c.large == nil {
		if got == room && (left < 0 || left > smallSize) {
			c.widen()
		}
		return
	}
	if c.short++; got >= smallSize {
		c.short = 0
	}
	if c.short == shortMost {
		c.narrow()
	}
}

// widen goes on in a large block, if there is one to be had.
func (c *carrier) widen() {
	if c.large = c.memory.takeLarge(); c.large != nil {
		c.memory.giveSmall(c.small)
		c.small, c.short = nil, 0
	}
}

// narrow goes on in a small block.
func (c *carrier) narrow() {
	c.small = c.memory.takeSmall()
	c.memory.giveLarge(c.large)
	c.large = nil
}

// give gives the memory back.
func (c *carrier) give() {
	c.memory.giveSmall(c.small)
	c.memory.giveLarge(c.large)
	c.small, c.large = nil, nil
}
