package balance

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"haldane/proxy/upstream"
)

// identity is what makes an endpoint the same one from one configuration to the next.
type identity struct {
	name    string // as configured
	address string // what is connected to
}

// Endpoint is one address of a variant.
type Endpoint struct {
	identity
	options   upstream.Options
	transport *upstream.Endpoint
	authority []byte
	condition *condition
}

func newEndpoint(id identity, o upstream.Options, c *condition) *Endpoint {
	return &Endpoint{
		identity: id, options: o, condition: c,
		transport: upstream.NewEndpoint(o),
		authority: []byte(id.name),
	}
}

// Transport carries requests to the endpoint.
func (e *Endpoint) Transport() *upstream.Endpoint { return e.transport }

// Authority is the endpoint as it is configured, for requests without a Host. It must not be changed.
func (e *Endpoint) Authority() []byte { return e.authority }

// Name is the endpoint as it is configured, host:port.
func (e *Endpoint) Name() string { return e.name }

// Address is what is connected to, host:port: one of the addresses of Name.
func (e *Endpoint) Address() string { return e.address }

// Release ends what Pick began.
func (e *Endpoint) Release() { e.transport.End() }

// Fail counts a request that failed here, in the terms of the service: an answer may be whole, and still count as failed.
func (e *Endpoint) Fail() { e.condition.failed.Add(1) }

// Report tells how an exchange with the endpoint ended: err is the transport's, nil for a complete answer with this status.
// It is called once for each exchange, when it is over. What is not the endpoint's doing is left aside.
func (e *Endpoint) Report(err error, status int) {
	c := e.condition
	switch judge(err, status) {
	case good:
		if c.streak.Load() != 0 {
			c.streak.Store(0)
		}
	case bad:
		now := time.Now()
		c.note(err, status, now)
		if g := c.group.Load(); c.streak.Add(1) >= int64(g.options.Ejection.Failures) && g.options.Ejection.Failures > 0 {
			g.eject(c, now)
		}
	}
}

// judgement is what an exchange says about its endpoint.
type judgement uint8

const (
	neither judgement = iota
	good
	bad
)

// judge says whether an endpoint failed. A connection that the endpoint closed while it was idle is no failure, and neither
// is what the client or a limit of Haldane's own did.
func judge(err error, status int) judgement {
	if err == nil {
		if status >= 502 && status <= 504 {
			return bad
		}
		return good
	}
	var failed *upstream.Error
	if !errors.As(err, &failed) || failed.Stale {
		return neither
	}
	switch failed.Kind {
	case upstream.KindConnect, upstream.KindTimeout, upstream.KindReset, upstream.KindTruncated, upstream.KindFraming:
		return bad
	}
	return neither
}

// condition is what is known about an endpoint.
type condition struct {
	group  atomic.Pointer[Group] // the one in force
	streak atomic.Int64          // failures in a row
	failed atomic.Uint64         // see Endpoint.Fail

	mu      sync.Mutex
	until   time.Time     // guarded by mu, as what follows: the end of the ejection, zero for none
	penalty time.Duration // the length of the last ejection
	ended   time.Time     // when it ended
	since   time.Time     // when it came into service; zero: it has its full share
	last    Mishap

	sick           bool // out by its health
	passed, missed int  // looks at its health in a row

	ejections, checksFailed uint64
}

// Mishap is something that went wrong.
type Mishap struct {
	// What is what went wrong; empty for nothing yet.
	What string
	// When is when it did.
	When time.Time
}

// note remembers what went wrong last.
func (c *condition) note(err error, status int, now time.Time) {
	what := "answered " + strconv.Itoa(status)
	if err != nil {
		what = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = Mishap{what, now}
}

// announce makes the group in force see what has changed. Another group may take over at the same time.
func (c *condition) announce(now time.Time) {
	for {
		g := c.group.Load()
		g.mu.Lock()
		g.publish(now)
		g.mu.Unlock()
		if c.group.Load() == g {
			return
		}
	}
}

// standing says whether requests may go to the endpoint under these options, and how much of its share it has.
func (c *condition) standing(now time.Time, o *Options) (usable bool, share uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() || c.sick && o.Health != nil {
		return false, 0
	}
	slow := o.SlowStart
	age := now.Sub(c.since)
	if c.since.IsZero() || age >= slow {
		return true, fullShare
	}
	return true, max(leastShare, uint32(float64(age)/float64(slow)*fullShare))
}
