package stats

import "sync/atomic"

// Budget is the stop-loss of a service's rollout: so many failed requests and not one more. It is looked at on each failed
// request, on that request's own goroutine, and not on a tick. The zero value is disarmed.
type Budget struct{ purse atomic.Pointer[Purse] }

// Purse is the budget of one rollout. A request that takes its Purse when it is assigned charges its failure to the rollout
// it belongs to, even if that rollout is over and another one has begun by the time it fails. A nil Purse charges nothing.
type Purse struct {
	limit atomic.Uint64
	spent atomic.Uint64
	state atomic.Uint32
	trip  func()
}

// The states of a Purse. Only an open one trips and none is opened again: so trip runs once, and never begins after Disarm.
const (
	purseOpen uint32 = iota
	purseTripped
	purseClosed
)

// Arm begins the budget of a rollout, and ends the one before. limit is the number of failed requests at which trip is
// called; with zero there is no budget, and the failures are only counted. spent is what has been spent already, from
// before a restart. trip is called at most once, on the goroutine of the request that failed: it must be quick and must
// not call back into the Budget's Arm.
//
// If spent has reached the limit already, Arm returns true and does not call trip: the caller rolls back before the
// canary gets a request. (Should one fail all the same, that failure trips.)
func (b *Budget) Arm(limit, spent uint64, trip func()) (exhausted bool) {
	p := &Purse{trip: trip}
	p.limit.Store(limit)
	p.spent.Store(spent)
	if old := b.purse.Swap(p); old != nil {
		old.close()
	}
	return limit > 0 && spent >= limit
}

// Disarm ends the budget. Once it has returned, trip will not be called any more; a call that had already begun may still
// be running. What was spent can still be read. It says whether the budget had tripped before.
func (b *Budget) Disarm() (tripped bool) {
	if p := b.purse.Load(); p != nil {
		return p.close()
	}
	return false
}

// SetLimit changes the limit of the running rollout and keeps what was spent. Like Arm it returns true if the new limit has
// been reached already.
func (b *Budget) SetLimit(limit uint64) (exhausted bool) {
	p := b.purse.Load()
	if p == nil || p.state.Load() == purseClosed {
		return false
	}
	p.limit.Store(limit)
	return limit > 0 && p.spent.Load() >= limit
}

// Purse is the budget in force right now; nil before the first Arm.
func (b *Budget) Purse() *Purse { return b.purse.Load() }

// Spend charges one failed request to the budget in force right now. See Purse for requests that outlive a rollout.
func (b *Budget) Spend() { b.purse.Load().Spend() }

// Spent is the number of failures charged since Arm, with those it was told of.
func (b *Budget) Spent() uint64 {
	if p := b.purse.Load(); p != nil {
		return p.spent.Load()
	}
	return 0
}

// Limit is the limit; zero when there is none or the budget is disarmed.
func (b *Budget) Limit() uint64 {
	if p := b.purse.Load(); p != nil && p.state.Load() != purseClosed {
		return p.limit.Load()
	}
	return 0
}

// Tripped says whether the budget in force has called trip.
func (b *Budget) Tripped() bool {
	p := b.purse.Load()
	return p != nil && p.state.Load() == purseTripped
}

// Spend charges one failed request, and calls trip if that reaches the limit. Failures after that are counted, too:
// they are the requests that were in flight.
func (p *Purse) Spend() {
	if p == nil || p.state.Load() == purseClosed {
		return
	}
	spent := p.spent.Add(1)
	if limit := p.limit.Load(); limit == 0 || spent < limit {
		return
	}
	if p.state.CompareAndSwap(purseOpen, purseTripped) {
		p.trip()
	}
}

// close ends a purse.
func (p *Purse) close() (tripped bool) { return p.state.Swap(purseClosed) == purseTripped }
