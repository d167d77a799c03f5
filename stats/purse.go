package stats

import (
	"math"
	"sync/atomic"
	"time"
)

// Purse is the budget of one rollout. A request that takes its Purse when it is assigned charges what it costs to the rollout
// it belongs to, even if that rollout is over and another one has begun by the time it ends. A nil Purse charges nothing.
type Purse struct {
	limits atomic.Pointer[Limits]
	failed atomic.Uint64
	slow   atomic.Uint64
	excess atomic.Int64 // in units of excessUnit
	crowd  atomic.Pointer[crowd]
	state  atomic.Uint32
	trip   func()
	tell   func()
}

// The states of a Purse. Only an open one trips and none is opened again: so trip runs once, and never begins after Disarm.
const (
	purseOpen uint32 = iota
	purseTripped
	purseClosed
)

// excessUnit is what one failure of the canary adds to the excess: millionths, so that stable's can take parts of one away.
const excessUnit = 1_000_000

// comparedBelow is the share from which on too few requests are left on the stable to say what its rate would have given.
const comparedBelow = 0.95

func newPurse(a *Arming) *Purse {
	p := &Purse{trip: a.Trip, tell: a.Tell}
	p.failed.Store(a.Spent)
	p.slow.Store(a.Losses.Slow)
	p.excess.Store(int64(math.Round(max(0, min(a.Losses.Excess, 1e12)) * excessUnit)))
	if a.Limits.Users > 0 {
		p.crowd.Store(newCrowd(a.Losses.Users, a.Crowd))
	}
	p.setLimits(a.Limits)
	return p
}

// setLimits puts limits in force.
func (p *Purse) setLimits(l Limits) {
	if l.Users > 0 {
		p.crowd.CompareAndSwap(nil, newCrowd(0, nil))
		p.crowd.Load().limit(l.Users)
	}
	p.limits.Store(&l)
}

// Spend charges one failed canary request. Failures after the limit are counted, too: they are the requests that were in flight.
func (p *Purse) Spend() {
	if !p.open() {
		return
	}
	failed := p.failed.Add(1)
	if limit := p.limits.Load().Failed; limit > 0 && failed >= limit {
		p.stop()
	}
}

// SlowAfter is the time from which a canary request is slow; zero when none is.
func (p *Purse) SlowAfter() time.Duration {
	if p == nil {
		return 0
	}
	limits := p.limits.Load()
	if limits.Slow == 0 {
		return 0
	}
	return limits.SlowAfter
}

// Slow charges a canary request whose answer took so long to begin, or that was given up after so long without one. Up
// to SlowAfter it costs nothing.
func (p *Purse) Slow(took time.Duration) {
	if p == nil {
		return
	}
	limits := p.limits.Load()
	if limits.Slow == 0 || took <= limits.SlowAfter || !p.open() {
		return
	}
	if p.slow.Add(1) >= limits.Slow {
		p.stop()
	}
}

// Compare charges a failed request, of either variant, that was drawn for the canary with the probability share and is judged.
//
// If the canary were no worse, then of the failures that such requests meet a part of share would be on the canary, and the
// rest on the stable. So each failure of the stable stands for share/(1-share) that the canary was allowed, whatever the traffic
// and the rate do meanwhile (inverse propensity weights: Horvitz and Thompson, 1952), and nothing but failures need be looked
// at. With a share that leaves too little to compare nothing is charged.
func (p *Purse) Compare(side Side, share float64) {
	if !p.open() || !(share > 0 && share < comparedBelow) {
		return
	}
	if side == SideStable {
		p.allow(int64(math.Round(share / (1 - share) * excessUnit)))
		return
	}
	excess := p.excess.Add(excessUnit)
	if limit := p.limits.Load().Excess; limit > 0 && excess >= int64(min(limit, math.MaxInt64/excessUnit))*excessUnit {
		p.stop()
	}
}

// allow takes from the excess, down to nothing.
func (p *Purse) allow(part int64) {
	for {
		before := p.excess.Load()
		if before <= 0 || p.excess.CompareAndSwap(before, max(0, before-part)) {
			return
		}
	}
}

// Expose notes that a request of a user, by the hash that Voters take, is about to be sent to the canary. A zero user is nobody.
func (p *Purse) Expose(user uint64) {
	if p == nil || user == 0 {
		return
	}
	c := p.crowd.Load()
	if c == nil || !p.open() || !c.add(user) {
		return
	}
	switch limits := p.limits.Load(); {
	case limits.Users == 0:
	case limits.UsersEnd:
		p.stop()
	case p.tell != nil && c.told.CompareAndSwap(false, true):
		p.tell()
	}
}

// open says whether the purse can be charged.
func (p *Purse) open() bool { return p != nil && p.state.Load() != purseClosed }

// stop trips, once.
func (p *Purse) stop() {
	if p.state.CompareAndSwap(purseOpen, purseTripped) {
		p.trip()
	}
}

// close ends a purse.
func (p *Purse) close() (tripped bool) { return p.state.Swap(purseClosed) == purseTripped }

func (p *Purse) losses() Losses {
	return Losses{
		Excess: float64(p.excess.Load()) / excessUnit,
		Slow:   p.slow.Load(),
		Users:  p.crowd.Load().users(),
	}
}

// exhausted says whether a limit that ends the rollout has been reached.
func (p *Purse) exhausted() bool { return p.limits.Load().Exhausted(p.failed.Load(), p.losses()) }

// Exhausted says whether so much spent ends a rollout.
func (l *Limits) Exhausted(failed uint64, losses Losses) bool {
	return l.Failed > 0 && failed >= l.Failed || l.Excess > 0 && losses.Excess >= float64(l.Excess) ||
		l.Slow > 0 && losses.Slow >= l.Slow || l.UsersEnd && l.Users > 0 && losses.Users >= l.Users
}
