package proxy

import (
	"net/netip"
	"sync"
	"time"

	"haldane/config"
	"haldane/stats"
)

// limitTerms are config.ServiceLimits, ready for use.
type limitTerms struct {
	perClient int        // 0: no bound
	requests  queueTerms // room 0: no bound
}

func newLimitTerms(l config.ServiceLimits) limitTerms {
	return limitTerms{
		perClient: l.PerClient,
		requests:  queueTerms{room: l.Requests, line: l.Queue, limit: time.Duration(l.QueueTimeout)},
	}
}

// place is what an exchange holds of the limits of its service.
type place struct {
	client  netip.Addr // counted, if valid
	entered bool       // among the requests under way
}

// takePlace takes the request in, within the limits of its service. What is turned away here has come to no variant, and none is
// blamed. A service without limits pays nothing.
func (x *exchange) takePlace() failure {
	if x.server.shedding.Load() {
		return x.turnedAway(stats.LimitMemory, memoryShort)
	}
	terms, shared := &x.service.limits, x.service.shared
	if terms.perClient > 0 {
		if !shared.callers.enter(x.view.client, terms.perClient) {
			return x.turnedAway(stats.LimitClient, clientFull)
		}
		x.place.client = x.view.client
	}
	if terms.requests.room <= 0 {
		return none
	}
	if shared.inside.take(terms.requests.room) {
		x.place.entered = true
		return none
	}
	return x.queue()
}

// queue waits for a place among the requests under way.
func (x *exchange) queue() failure {
	x.now = time.Time{}
	clients := x.service.stats.Clients()
	clients.Queued(1)
	became := x.service.shared.inside.wait(x.service.limits.requests)
	clients.Queued(-1)
	switch became {
	case queueFull:
		return x.turnedAway(stats.LimitRequests, serviceFull)
	case queueLate:
		return x.turnedAway(stats.LimitQueue, serviceFull)
	}
	x.place.entered = true
	if x.conn.gone.Load() || x.conn.peek() == peekEnd {
		return clientGone // while it waited
	}
	return none
}

func (x *exchange) turnedAway(by stats.Limit, f failure) failure {
	x.service.stats.Clients().Limited(by)
	return f
}

// leavePlace gives the places of the request to others. It may be called again.
func (x *exchange) leavePlace() {
	if x.place.client.IsValid() {
		x.service.shared.callers.leave(x.place.client)
	}
	if x.place.entered {
		x.service.shared.inside.leave(x.service.limits.requests.room)
	}
	x.place = place{}
}

// callers counts the requests under way of each client address. It may be used by any number of goroutines.
type callers struct {
	mu    sync.Mutex
	count map[netip.Addr]int
}

// enter counts a request in, if its client has fewer than that many.
func (c *callers) enter(client netip.Addr, most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[netip.Addr]int)
	}
	n := c.count[client]
	if n >= most {
		return false
	}
	c.count[client] = n + 1
	return true
}

// leave counts a request out.
func (c *callers) leave(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.count[client]; n > 1 {
		c.count[client] = n - 1
		return
	}
	delete(c.count, client)
}
