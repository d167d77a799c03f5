package proxy

import (
	"math"
	"runtime"
	"time"
)

// A crowd that has been busy at once leaves the memory behind that it was served with: stacks, and what the pools hold. By itself
// Go would only give it back minutes later, when there is little traffic.

const (
	easeCrowd = 1024               // so many connections less are worth a collection
	easeEvery = int64(time.Minute) // and no more than one
)

// tide follows how many connections have goroutines.
type tide struct {
	most  int64 // since the last collection
	eased int64 // when that was, on the server's clock
}

// ebbed says whether most of a crowd has gone idle or left, and the last collection is long enough ago.
func (c *tide) ebbed(awake, now int64) bool {
	c.most = max(c.most, awake)
	if c.most-awake < easeCrowd || awake > c.most/8 || now-c.eased < easeEvery {
		return false
	}
	c.most, c.eased = awake, now
	return true
}

// ease collects the garbage of crowds. Twice, because what is in a sync.Pool survives one collection: with 5000 connections that had
// waited for their answers together, the first gave nothing back, and after the second each took 4 KiB instead of 16.
func (s *Server) ease(stop <-chan struct{}) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	all := tide{eased: math.MinInt64 / 2}
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if all.ebbed(s.awake.Load(), s.clock()) {
			runtime.GC()
			runtime.GC()
		}
	}
}
