package upstream

import (
	"context"
	"sync/atomic"
)

// Abort lets another goroutine end an exchange, because its client has left for instance. One Abort serves one exchange at
// a time, and the next after Reset. The zero value is ready; it must not be copied.
//
// What there is to end stands in one place. Whoever takes it out of there, Fire to end it or the exchange to go on, has it for
// himself, so that no connection is ended that has gone to another exchange meanwhile.
type Abort struct {
	victim atomic.Pointer[victim] // nil for none
	spent  victim                 // stands there once it was fired
}

// victim is what Fire ends: a connection, or the opening of one.
type victim struct {
	conn   *conn
	cancel context.CancelFunc
}

// Fire ends the exchange wherever it is: RoundTrip or the read of its response fails with KindAborted. Fired before
// RoundTrip, it keeps the exchange from beginning; fired after Response.Close it does nothing. It does not wait.
func (a *Abort) Fire() {
	v := a.victim.Swap(&a.spent)
	switch {
	case v == nil:
	case v.cancel != nil:
		v.cancel()
	case v.conn != nil:
		v.conn.kill()
	}
}

// Reset makes the Abort ready for another exchange, after Response.Close of the last.
func (a *Abort) Reset() {
	if a.victim.Load() != nil {
		a.victim.Store(nil)
	}
}

// Fired reports whether Fire was called since the last Reset.
func (a *Abort) Fired() bool { return a.fired() }

func (a *Abort) fired() bool { return a != nil && a.victim.Load() == &a.spent }

// dialing lets Fire cancel the opening of a connection. It reports false when it was fired already.
func (a *Abort) dialing(cancel context.CancelFunc) bool {
	return a == nil || a.expose(&victim{cancel: cancel})
}

// attach lets Fire close the connection. It reports false when it was fired already.
func (a *Abort) attach(c *conn) bool { return a == nil || a.expose(&c.victim) }

// detach takes the connection out of Fire's reach, before it goes to the pool or to another exchange. It reports false
// when it was fired before.
func (a *Abort) detach() bool { return a == nil || a.expose(nil) }

// expose changes what Fire ends, nil for nothing. It reports false when it was fired already.
func (a *Abort) expose(v *victim) bool {
	for {
		former := a.victim.Load()
		if former == &a.spent {
			return false
		}
		if a.victim.CompareAndSwap(former, v) {
			return true
		}
	}
}
