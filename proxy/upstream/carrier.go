package upstream

// carrier is the memory that an upload is carried in: a small block, and a large one as long as the client sends as fast as it is read.
// The large ones are few, and whoever turns slow gives his back with the next octets.
type carrier struct {
	memory *memory
	small  *smallBlock // while there is no large one
	large  *largeBlock
}

// take begins with a small block.
func (c *carrier) take(m *memory) { c.memory, c.small = m, m.takeSmall() }

// octets is the memory.
func (c *carrier) octets() []byte {
	if c.large != nil {
		return c.large[:]
	}
	return c.small.octets[:]
}

// fit changes the memory after a read that has given so many octets of those that there was room for, with so many left to come, or
// less than zero for an unknown number.
func (c *carrier) fit(got, room int, left int64) {
	over := left >= 0 && left < largeSize
	switch {
	case c.large == nil && got == room && !over:
		if c.large = c.memory.takeForUpload(); c.large != nil {
			c.memory.giveSmall(c.small)
			c.small = nil
		}
	case c.large != nil && (got < smallSize || over):
		c.small = c.memory.takeSmall()
		c.memory.giveOfUpload(c.large)
		c.large = nil
	}
}

// give gives the memory back.
func (c *carrier) give() {
	c.memory.giveSmall(c.small)
	c.memory.giveOfUpload(c.large)
	c.small, c.large = nil, nil
}
