package proxy

import (
	"runtime"
	"time"
)

// A crowd that has been busy at once leaves the memory behind that it was served with: stacks, and what the pools hold. By itself
// Go would only give it back minutes later, when there is little traffic.

const (
	easeCrowd = 256                    // so many connections less are worth a collection
	easeEvery = int64(5 * time.Second) // and no more than one in this time
	easeShare = 100                    // nor in so many times the time that the last one took
)

// tide follows how many connections have goroutines, or how many there are.
type tide struct {
	most  int64 // since the last collection
	again int64 // when there may be another one, on the server's clock
}

// ebbed says whether most of a crowd has gone idle or left, and the last collection is long enough ago.
func (c *tide) ebbed(level, now int64) bool {
	c.most = max(c.most, level)
	if c.most-level < easeCrowd || level > c.most/8 || now < c.again {
		return false
	}
	c.most = level
	return true
}

// rest puts off the next collection, after one that took so long.
func (c *tide) rest(from, to int64) { c.again = to + max(easeEvery, easeShare*(to-from)) }

// ease collects the garbage of crowds. Twice, because what is in a sync.Pool survives one collection: with 5000 connections that had
// waited for their answers together, the first gave nothing back, and after the second each took 4 KiB instead of 16.
func (s *Server) ease(stop <-chan struct{}) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var awake, all tide
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		idle, left := awake.ebbed(s.awake.Load(), s.clock()), all.ebbed(int64(s.conns.len()), s.clock())
		if idle || left {
			began := s.clock()
			runtime.GC()
			runtime.GC()
			awake.rest(began, s.clock())
			all.rest(began, s.clock())
		}
	}
}
