package load

import "time"

// counted says whether a request that was due then is in the figures.
func (p *phase) counted(due time.Time) bool { return !due.Before(p.begin) && due.Before(p.end) }

// moved books bytes of bodies.
func (c *Crowd) moved(n int) {
	if c.phase.running {
		c.phase.result.Bytes += int64(n)
	}
}

// take is a client that has nothing to do.
func (c *Crowd) take() *client {
	k := c.idle[len(c.idle)-1]
	c.idle = c.idle[:len(c.idle)-1]
	return k
}

// send lets a client send a request.
func (c *Crowd) send(k *client, due time.Time) {
	if c.phase.counted(due) {
		c.phase.underway++
		c.phase.result.Sent++
	}
	k.send(due)
}

// answered books a good answer, and lets the client go on.
func (c *Crowd) answered(k *client, due time.Time) {
	now, r := time.Now(), c.phase.result
	if c.phase.counted(now) {
		r.Completed++
	}
	if c.phase.counted(due) {
		c.phase.underway--
		r.Answered++
		r.Latency.Observe(now.Sub(due))
		r.Origins[k.origin]++
	}
	c.next(k, now)
}

// failed books a bad answer, or none.
func (c *Crowd) failed(k *client, err error) {
	now, r := time.Now(), c.phase.result
	if c.phase.counted(k.due) {
		c.phase.underway--
		r.Failed++
		r.Latency.Observe(now.Sub(k.due))
	}
	if r.Why == "" {
		r.Why = err.Error()
	}
	if c.broken == nil {
		c.next(k, now)
	}
}

// next is what a client does after an answer.
func (c *Crowd) next(k *client, now time.Time) {
	if c.phase.closed && !c.phase.stopped {
		if k.framed || c.spec.Echo == 0 {
			c.send(k, now)
			return
		}
		k.send(now) // a WebSocket that was lost is opened again
		return
	}
	c.free(k)
}

// free is a client without anything to do.
func (c *Crowd) free(k *client) {
	if k.framed && c.phase.closed && !c.phase.stopped {
		c.send(k, time.Now())
		return
	}
	c.idle = append(c.idle, k)
}
