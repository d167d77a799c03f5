package listen

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// censusShards spreads clients over locks, so that connections of different clients do not wait for each other.
const censusShards = 32

// siteBits is how much of an IPv6 address is one client: whoever has one address has all of its network (RFC 4291 section
// 2.5.4).
const siteBits = 64

// Census counts the open connections of each client. It holds no more entries than there are open connections.
type Census struct {
	seed   maphash.Seed
	shards [censusShards]censusShard
}

type censusShard struct {
	mu   sync.Mutex
	open map[netip.Addr]int
}

// NewCensus makes an empty census.
func NewCensus() *Census {
	c := &Census{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].open = make(map[netip.Addr]int)
	}
	return c
}

// Resident is one client in a census: an IPv4 address, or the network of an IPv6 one. The zero value is nobody.
type Resident struct{ address netip.Addr }

// residentOf is the client that an address belongs to.
func residentOf(address netip.Addr) Resident {
	address = plain(address)
	if address.Is6() {
		if prefix, err := address.Prefix(siteBits); err == nil {
			address = prefix.Addr()
		}
	}
	return Resident{address}
}

// Enter counts a connection of the client, unless it has limit of them already. Every connection that entered must leave.
func (c *Census) Enter(address netip.Addr, limit int) (Resident, bool) {
	r := residentOf(address)
	shard := c.shard(r)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.open[r.address] >= limit {
		return Resident{}, false
	}
	shard.open[r.address]++
	return r, true
}

// Leave ends a connection that entered. Nobody may leave.
func (c *Census) Leave(r Resident) {
	if r == (Resident{}) {
		return
	}
	shard := c.shard(r)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.open[r.address]--; shard.open[r.address] <= 0 {
		delete(shard.open, r.address)
	}
}

func (c *Census) shard(r Resident) *censusShard {
	return &c.shards[maphash.Comparable(c.seed, r.address)%censusShards]
}
