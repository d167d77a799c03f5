package proxy

import (
	"time"

	"haldane/router"
	"haldane/stats"
)

// charges is what the failure of a request costs, fixed before anything has happened.
type charges struct {
	service *stats.Service
	purse   *stats.Purse
	user    uint64        // whose vote it is
	side    stats.Side    // of the rollout that it was assigned to
	judged  bool          // it votes
	split   *router.Split // with which it was drawn
	stratum router.Stratum
}

// charges are those of the request.
func (x *exchange) charges() charges {
	a := &x.assignment
	c := charges{
		service: x.service.stats, purse: x.purse, user: a.User, side: stats.SideStable,
		judged: x.lane != stats.Unjudged, split: a.Split, stratum: a.Stratum,
	}
	if canary(a) {
		c.side = stats.SideCanary
	}
	return c
}

// failed charges the failure. Only those of the canary are spent; what was judged is compared, too, with the probability
// with which it was drawn.
func (c *charges) failed() {
	if c.judged {
		c.service.Voters().Fail(c.user)
		c.purse.Compare(c.side, c.share())
	}
	if c.side == stats.SideCanary {
		c.purse.Spend()
	}
}

// share is the probability with which the request was drawn for the canary.
func (c *charges) share() float64 {
	if c.stratum == router.StratumSegment {
		return c.split.Strength.Ratio()
	}
	return c.split.Shares[c.split.Canary].Ratio()
}

// chargeTime charges how long the canary let the client wait. A long poll is slow on purpose.
func (x *exchange) chargeTime() {
	limit := x.purse.SlowAfter()
	if limit == 0 || !canary(&x.assignment) {
		return
	}
	took := x.firstByte
	if x.status == 0 {
		took = time.Since(x.started)
	}
	if took > limit && !x.service.stalls.exempts(x.view.path) {
		x.purse.Slow(took)
	}
}

// expose notes the user of a request that is about to be written to the canary.
func (x *exchange) expose() {
	if canary(&x.assignment) {
		x.purse.Expose(x.assignment.User)
	}
}
