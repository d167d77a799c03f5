package upstream

// carrier is the memory that an upload is carried in: a large block, and a huge one as long as the client sends as fast as it is read.
// The huge ones are few, and whoever turns slow gives his back with the next octets.
type carrier struct {
	memory *memory
	block  *largeBlock // while there is no huge one
	huge   *hugeBlock
}

// take begins with a large block.
func (c *carrier) take(m *memory) { c.memory, c.block = m, m.takeLarge() }

// octets is the memory.
func (c *carrier) octets() []byte {
	if c.huge != nil {
		return c.huge[:]
	}
	return c.block[:]
}

// fit changes the memory after a read that has given so many octets of those that there was room for, with so many left to come.
func (c *carrier) fit(got, room int, left int64) {
	switch {
	case c.huge == nil && got == room && left >= hugeSize:
		if c.huge = c.memory.takeHuge(); c.huge != nil {
			c.memory.giveLarge(c.block)
			c.block = nil
		}
	case c.huge != nil && (got < largeSize || left < largeSize):
		c.block = c.memory.takeLarge()
		c.memory.giveHuge(c.huge)
		c.huge = nil
	}
}

// give gives the memory back.
func (c *carrier) give() {
	c.memory.giveLarge(c.block)
	c.memory.giveHuge(c.huge)
	c.block, c.huge = nil, nil
}
