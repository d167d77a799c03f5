package balance

import "time"

// fullShare is the share of an endpoint that has its full size; it makes a share a threshold for 16 random bits.
const fullShare = 1 << 16

// leastShare is what an endpoint begins with that comes back. With nothing at all it would stay cold.
const leastShare = fullShare / 50

// view is the endpoints that requests may go to. It is immutable.
type view struct {
	endpoints []*Endpoint
	shares    []uint32 // in step with endpoints while ramping
	ramping   bool     // one of them has not its full share yet
	panicking bool     // none is in order, so that all are here
	special   bool     // panicking, or there is none
}

// Pick finds the endpoint for a request: the one with less in flight of two random ones. Two choices avoid the herd that
// follows when everybody takes the least loaded one, at the cost of one more look (Mitzenmacher, "The power of two
// choices", 2001). It prefers any other endpoint to not (nil for none), which a repeated request has met already. When no
// endpoint is in order, it picks from all of them: a wrong guess about all is likelier than that all are gone at once, and
// costs nothing more. It returns nil when there is none, because a name has no address yet.
//
// The picked endpoint counts one more in flight until Release.
func (g *Group) Pick(random uint64, not *Endpoint) *Endpoint {
	v := g.view.Load()
	if v.special && !g.meet(v) {
		return nil
	}
	n := uint32(len(v.endpoints))
	first := draw(uint32(random), n)
	if n > 1 {
		if v.endpoints[first] == not {
			first = v.other(first, not)
		}
		second := first + 1 + draw(uint32(random>>32), n-1)
		if second >= n {
			second -= n
		}
		first = v.prefer(first, second, random, not)
	}
	e := v.endpoints[first]
	e.transport.Begin()
	return e
}

// draw maps 32 random bits to 0..n-1 (Lemire, "Fast random integer generation in an interval", 2019, without the last
// correction: the bias is below n/2^32).
func draw(random, n uint32) uint32 { return uint32(uint64(random) * uint64(n) >> 32) }

// meet looks at what is out of the ordinary. It reports false when there is no endpoint.
func (g *Group) meet(v *view) bool {
	if v.panicking {
		g.panics.Add(1)
	}
	return len(v.endpoints) > 0
}

// other is the next place after at that does not hold not, or at.
func (v *view) other(at uint32, not *Endpoint) uint32 {
	n := uint32(len(v.endpoints))
	for step := uint32(1); step < n; step++ {
		if next := (at + step) % n; v.endpoints[next] != not {
			return next
		}
	}
	return at
}

// prefer is the better of two places.
func (v *view) prefer(first, second uint32, random uint64, not *Endpoint) uint32 {
	a, b := v.endpoints[first], v.endpoints[second]
	if b == not {
		return first
	}
	if v.ramping {
		// An endpoint with half its share takes part in half of the choices.
		random *= 0x9e3779b97f4a7c15 // other bits than the two draws
		joins, joinsToo := uint32(random>>48) < v.shares[first], uint32(random>>32)&0xffff < v.shares[second]
		if joins != joinsToo {
			if joins {
				return first
			}
			return second
		}
	}
	if b.transport.InFlight() < a.transport.InFlight() {
		return second
	}
	return first
}

// publish makes the view of what is known now. g.mu is held.
func (g *Group) publish(now time.Time) {
	v := &view{}
	for _, t := range g.targets {
		for _, e := range t.endpoints {
			usable, share := e.condition.standing(now, &g.options)
			if !usable {
				continue
			}
			v.endpoints = append(v.endpoints, e)
			v.shares = append(v.shares, share)
			v.ramping = v.ramping || share < fullShare
		}
	}
	if len(v.endpoints) == 0 {
		v.panicking = len(g.members) > 0
		for _, t := range g.targets {
			v.endpoints = append(v.endpoints, t.endpoints...)
		}
	}
	v.special = v.panicking || len(v.endpoints) == 0
	g.view.Store(v)
}
