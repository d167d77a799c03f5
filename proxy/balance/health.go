package balance

import (
	"context"
	"fmt"
	"io"
	"time"

	"haldane/config"
	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// leastInterval keeps a mistake from becoming a flood.
const leastInterval = 10 * time.Millisecond

// healthBody is how much of an answer's body is read, so that the endpoint sees an orderly end.
const healthBody = 64 << 10

// check looks at the health of an endpoint until the context ends.
func (g *Group) check(ctx context.Context, e *Endpoint) {
	h := g.options.Health
	interval := max(time.Duration(h.Interval), leastInterval)
	for wait := spread(interval / 10); ; wait = interval - interval/10 + spread(interval/5) {
		if !pause(ctx, max(wait, 1)) {
			return
		}
		limited, cancel := context.WithTimeout(ctx, time.Duration(h.Timeout))
		err := g.prober().Probe(limited, e.name, e.options)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if now := time.Now(); e.condition.looked(err, h, now) {
			e.condition.announce(now)
		}
	}
}

func (g *Group) prober() Prober {
	if g.options.Prober != nil {
		return g.options.Prober
	}
	return &prober{health: g.options.Health, host: g.options.Host}
}

// looked takes in the outcome of a look, and reports whether the endpoint goes out or comes back by it.
func (c *condition) looked(err error, h *config.Health, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.checksFailed++
		c.last = Mishap{"health: " + err.Error(), now}
		c.passed, c.missed = 0, c.missed+1
		if c.sick || c.missed < h.Unhealthy {
			return false
		}
		c.sick = true
		return true
	}
	c.passed, c.missed = c.passed+1, 0
	if !c.sick || c.passed < h.Healthy {
		return false
	}
	c.sick, c.since = false, now
	c.streak.Store(0)
	return true
}

// prober asks endpoints over the network, each time on a connection of its own: what is asked is whether one opens.
type prober struct {
	health *config.Health
	host   string
}

// Probe sends one request, or only connects when there is no path.
func (p *prober) Probe(ctx context.Context, name string, o upstream.Options) error {
	// The context bounds everything; what the options say about time is for requests.
	o.Timeouts, o.MaxConnections = upstream.Timeouts{}, 0
	endpoint := upstream.NewEndpoint(o)
	var abort upstream.Abort
	defer context.AfterFunc(ctx, abort.Fire)()
	terms := upstream.Exchange{Abort: &abort}
	if end, ok := ctx.Deadline(); ok {
		terms.Deadline = end
	}
	if p.health.Path == "" {
		return endpoint.Connect(terms)
	}
	host := name
	for _, other := range []string{p.host, p.health.Host} {
		if other != "" {
			host = other
		}
	}
	response, err := endpoint.RoundTrip(&http1.Request{
		Method: []byte("GET"),
		Target: []byte(p.health.Path),
		Fields: http1.Fields{
			{Name: []byte("Host"), Value: []byte(host)},
			{Name: []byte("User-Agent"), Value: []byte("haldane-health")},
			{Name: []byte("Connection"), Value: []byte("close")},
		},
	}, terms)
	if err != nil {
		return err
	}
	defer func() { _ = response.Close() }()
	_, _ = io.CopyN(io.Discard, response, healthBody) // the head has said it all
	for _, good := range p.health.Statuses {
		if good.Contains(response.Status) {
			return nil
		}
	}
	return fmt.Errorf("GET %s was answered %d", p.health.Path, response.Status)
}
