package upstream

import (
	"context"
	"sync"
)

// Abort lets another goroutine end an exchange, because its client has left for instance. One Abort serves one exchange at
// a time, and the next after Reset. The zero value is ready; it must not be copied.
type Abort struct {
	mu     sync.Mutex
	done   bool
	conn   *conn
	cancel context.CancelFunc
}

// Fire ends the exchange wherever it is: RoundTrip or the read of its response fails with KindAborted. Fired before
// RoundTrip, it keeps the exchange from beginning; fired after Response.Close it does nothing. It does not wait.
func (a *Abort) Fire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = true
	if a.cancel != nil {
		a.cancel()
	}
	if a.conn != nil {
		a.conn.kill()
	}
}

// Reset makes the Abort ready for another exchange, after Response.Close of the last.
func (a *Abort) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done, a.conn, a.cancel = false, nil, nil
}

// Fired reports whether Fire was called since the last Reset.
func (a *Abort) Fired() bool { return a.fired() }

func (a *Abort) fired() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.done
}

// dialing lets Fire cancel the opening of a connection. It reports false when it was fired already.
func (a *Abort) dialing(cancel context.CancelFunc) bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cancel = cancel
	return !a.done
}

// attach lets Fire close the connection. It reports false when it was fired already.
func (a *Abort) attach(c *conn) bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return false
	}
	a.conn = c
	return true
}

// detach takes the connection out of Fire's reach, before it goes to the pool or to another exchange. It reports false
// when it was fired before.
func (a *Abort) detach() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conn, a.cancel = nil, nil
	return !a.done
}
