package stats

import "sync/atomic"

// Clients is what the clients of one service saw, as opposed to what its variants did: a request that failed at first and was
// then sent again, or rescued, is a failure of its variant and none of its client. It also counts what was done to that
// end, and what was refused before it came to a variant.
type Clients struct {
	shards  []atomic.Pointer[clientCells] // the length is a power of two; made with their first request
	retries atomic.Uint64
	rescued [2]atomic.Uint64 // 0: the stable failed as well
	skipped [skips]atomic.Uint64
	limited [limits]atomic.Uint64
	queued  atomic.Int64
}

// clientCells is what one share of the request goroutines writes to.
type clientCells struct {
	ended [outcomeSlots]atomic.Uint64
	_     cacheLine
}

// Ended counts a request that has ended, by how it ended for its client. shard is that of Variant.Begin.
func (c *Clients) Ended(shard uint64, o Outcome) {
	cell := &c.shards[shard&uint64(len(c.shards)-1)]
	cells := cell.Load()
	if cells == nil {
		cell.CompareAndSwap(nil, new(clientCells))
		cells = cell.Load()
	}
	cells.ended[o.slot()].Add(1)
}

// Outcomes is the number of requests by how they ended for their clients (the index is the Outcome).
func (c *Clients) Outcomes() [outcomeSlots]uint64 {
	var sum [outcomeSlots]uint64
	for i := range c.shards {
		cells := c.shards[i].Load()
		if cells == nil {
			continue
		}
		for o := range sum {
			sum[o] += cells.ended[o].Load()
		}
	}
	return sum
}

// Retried counts a request that is sent again to its variant.
func (c *Clients) Retried() { c.retries.Add(1) }

// Retries is the number of requests that were sent again to their variant.
func (c *Clients) Retries() uint64 { return c.retries.Load() }

// Rescued counts a request that failed on the canary and was sent to the stable, by what came of it there.
func (c *Clients) Rescued(o Outcome) {
	if o.Succeeded() {
		c.rescued[1].Add(1)
		return
	}
	c.rescued[0].Add(1)
}

// Rescues is the number of requests that were sent to the stable after the canary had failed, and of those that failed there
// as well.
func (c *Clients) Rescues() (ok, failed uint64) { return c.rescued[1].Load(), c.rescued[0].Load() }

// Skip is why a request that had failed on the canary was not rescued.
type Skip uint8

const (
	// SkipMethod is a method that must not be repeated.
	SkipMethod Skip = iota
	// SkipBody is a request body that is not there any more.
	SkipBody
	// SkipBegun is an answer of which the client has a part.
	SkipBegun
	// SkipDeadline is a time limit that has passed.
	SkipDeadline
	// SkipBudget is a budget that is used up.
	SkipBudget

	skips = int(SkipBudget) + 1
)

// String is the word for the reason in metrics.
func (s Skip) String() string {
	return [skips]string{"method", "body", "begun", "deadline", "budget"}[s]
}

// SkippedRescue counts a failed canary request that was not rescued.
func (c *Clients) SkippedRescue(s Skip) { c.skipped[s].Add(1) }

// SkippedRescues is the number of failed canary requests that were not rescued for this reason.
func (c *Clients) SkippedRescues(s Skip) uint64 { return c.skipped[s].Load() }

// Limit is a bound that turned a request of a service away.
type Limit uint8

const (
	// LimitRequests is the number of requests under way, with no room in the queue.
	LimitRequests Limit = iota
	// LimitQueue is the time in the queue.
	LimitQueue
	// LimitClient is the number of requests of one client address.
	LimitClient
	// LimitMemory is the memory of the process.
	LimitMemory

	limits = int(LimitMemory) + 1
)

// String is the word for the limit in metrics.
func (l Limit) String() string {
	return [limits]string{"requests", "queue_timeout", "per_client", "memory"}[l]
}

// Limited counts a request that was turned away.
func (c *Clients) Limited(l Limit) { c.limited[l].Add(1) }

// LimitedBy is the number of requests that were turned away by this limit.
func (c *Clients) LimitedBy(l Limit) uint64 { return c.limited[l].Load() }

// Queued counts requests into the queue of the service, or out of it.
func (c *Clients) Queued(n int64) { c.queued.Add(n) }

// describeClients describes what clients saw.
func describeClients(all *[families]description) {
	service := []string{"service"}
	all[familyClientRequests] = description{
		"haldane_client_requests_total", counter,
		[]string{"service", "outcome"},
		"Requests that have ended, by how they ended for the client.",
	}
	all[familyRetries] = description{
		"haldane_retries_total", counter, service,
		"Requests that were sent again to an endpoint of their variant.",
	}
	all[familyRescues] = description{
		"haldane_rescues_total", counter,
		[]string{"service", "result"},
		"Requests that failed on the canary and were sent to the stable variant.",
	}
	all[familyRescuesSkipped] = description{
		"haldane_rescues_skipped_total", counter,
		[]string{"service", "reason"},
		"Requests that failed on the canary and were not rescued, by why not.",
	}
	all[familyLimited] = description{
		"haldane_limited_requests_total", counter,
		[]string{"service", "limit"},
		"Requests that were turned away by a limit of the service, or for want of memory.",
	}
	all[familyQueued] = description{
		"haldane_queued_requests", gauge, service,
		"Requests that wait for a place in the limits of the service.",
	}
}

// clients emits what the clients of a service saw.
func (s *scrape) clients(name string, c *Clients) {
	for o, n := range c.Outcomes() {
		if n > 0 || o != 0 {
			s.count(familyClientRequests, n, name, Outcome(o).String())
		}
	}
	ok, failed := c.Rescues()
	s.count(familyRetries, c.Retries(), name)
	s.count(familyRescues, ok, name, "ok")
	s.count(familyRescues, failed, name, "failed")
	for reason := range Skip(skips) {
		s.count(familyRescuesSkipped, c.SkippedRescues(reason), name, reason.String())
	}
	for limit := range Limit(limits) {
		s.count(familyLimited, c.LimitedBy(limit), name, limit.String())
	}
	s.gauge(familyQueued, float64(c.queued.Load()), name)
}
