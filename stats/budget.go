package stats

import (
	"sync/atomic"
	"time"
)

// Budget is the stop-loss of a service's rollout: so much and no more. It is looked at on each request that costs something, on
// that request's own goroutine, and not on a tick. The zero value is disarmed.
type Budget struct{ purse atomic.Pointer[Purse] }

// Limits are the bounds of a budget; zero sets none.
type Limits struct {
	// Failed is the number of failed canary requests that ends the rollout.
	Failed uint64
	// Excess is the number of failures beyond those that stable's rate would have given that does.
	Excess uint64
	// Slow is the number of canary requests without an answer within SlowAfter that does.
	Slow      uint64
	SlowAfter time.Duration
	// Users is how many users may be on the canary. Whoever is one too many tells, or ends the rollout with UsersEnd.
	Users    uint64
	UsersEnd bool
}

// Losses are what was spent of a budget besides failed requests.
type Losses struct {
	// Excess is how many more requests have failed on the canary than would have at stable's rate, since the two were last
	// even. Never negative: what stable has failed more is no credit.
	Excess float64 `json:"excess,omitempty"`
	// Slow is how many canary requests were slow.
	Slow uint64 `json:"slow,omitempty"`
	// Users is how many users were on the canary, to about 1 %; counted with a limit alone.
	Users uint64 `json:"users,omitempty"`
}

// Arming is a budget that begins.
type Arming struct {
	// Limits are the bounds.
	Limits Limits
	// Spent, Losses and Crowd (see Budget.Crowd) are what was spent before a restart. Without the crowd, users from before
	// count again when they come back.
	Spent  uint64
	Losses Losses
	Crowd  []byte
	// Trip is called at most once, on the goroutine of the request that reached a limit that ends the rollout. It must be
	// quick, and must not call back into the Budget's Arm. Required.
	Trip func()
	// Tell is called in the same way when the limit of users is reached, and that does not end the rollout. Nil for nobody.
	Tell func()
}

// Arm begins the budget of a rollout, and ends the one before.
//
// If a limit that ends the rollout has been reached already, Arm returns true and does not call Trip: the caller rolls back
// before the canary gets a request. (Should one cost something all the same, that one trips.)
func (b *Budget) Arm(a Arming) (exhausted bool) {
	p := newPurse(&a)
	if old := b.purse.Swap(p); old != nil {
		old.close()
	}
	return p.exhausted()
}

// Disarm ends the budget. Once it has returned, nothing will be called any more; a call that had already begun may still
// be running. What was spent can still be read. It says whether the budget had tripped before.
func (b *Budget) Disarm() (tripped bool) {
	if p := b.purse.Load(); p != nil {
		return p.close()
	}
	return false
}

// SetLimits changes the limits of the running rollout and keeps what was spent. Like Arm it returns true if one that ends the
// rollout has been reached already. Users are counted from the first limit of them on.
func (b *Budget) SetLimits(l Limits) (exhausted bool) {
	p := b.purse.Load()
	if p == nil || p.state.Load() == purseClosed {
		return false
	}
	p.setLimits(l)
	return p.exhausted()
}

// Purse is the budget in force right now; nil before the first Arm.
func (b *Budget) Purse() *Purse { return b.purse.Load() }

// Spend charges one failed request to the budget in force right now. See Purse for requests that outlive a rollout.
func (b *Budget) Spend() { b.purse.Load().Spend() }

// Spent is the number of failures charged since Arm, with those it was told of.
func (b *Budget) Spent() uint64 {
	if p := b.purse.Load(); p != nil {
		return p.failed.Load()
	}
	return 0
}

// Losses are what else was spent since Arm, with what it was told of.
func (b *Budget) Losses() Losses {
	if p := b.purse.Load(); p != nil {
		return p.losses()
	}
	return Losses{}
}

// Crowd is who was on the canary, to be given to another Arm; nil when users are not counted. It is 8 KiB in which a user
// cannot be found without the user's key.
func (b *Budget) Crowd() []byte {
	if p := b.purse.Load(); p != nil {
		return p.crowd.Load().bytes()
	}
	return nil
}

// Limits are the limits; the zero value when the budget is disarmed.
func (b *Budget) Limits() Limits {
	if p := b.purse.Load(); p != nil && p.state.Load() != purseClosed {
		return *p.limits.Load()
	}
	return Limits{}
}

// Tripped says whether the budget in force has called Trip.
func (b *Budget) Tripped() bool {
	p := b.purse.Load()
	return p != nil && p.state.Load() == purseTripped
}
