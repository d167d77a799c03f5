package proxy

import (
	"math"
	"runtime/debug"
	"time"
)

// How a connection waits for another request. Where it waits without a goroutine is in parking.go.

// How long a connection waits for another request on a goroutine of its own. Whoever sends the next one sooner pays nothing for
// parking, and whoever does not pays a few microseconds. While more connections than parkCrowd have goroutines they have less
// patience, and still less when there are twice as many, so that a crowd that comes all at once does not need memory for all
// of its goroutines. Connections of the same moment are parked together: waking up for each of them would cost more than parking.
const (
	parkAfter  = time.Second
	parkCrowd  = 512
	parkSooner = 4 // so many times sooner
	parkSteps  = 4 // moments to park at in the time of a wait
)

// parkTime is when a connection that has been idle since then is parked, on the server's clock, while so many have goroutines.
func parkTime(since, awake int64) int64 {
	wait := int64(parkAfter)
	for most := int64(parkCrowd); awake > most && most <= 2*parkCrowd; most *= 2 {
		wait /= parkSooner
	}
	step := wait / parkSteps
	return (since + wait + step - 1) / step * step
}

// idleDeadline is when the wait for another request ends: counted from the last response, also when some of it was spent in the
// parking.
func (c *clientConn) idleDeadline() time.Time {
	end := c.idleEnd()
	if c.parkable {
		end = min(end, parkTime(c.since.Load(), c.server.awake.Load()))
	}
	if end == math.MaxInt64 {
		return time.Time{}
	}
	return c.server.started.Add(time.Duration(end))
}

// lastMoment says whether a request has arrived just as the idle time ended; then it is taken.
func (c *clientConn) lastMoment(err error) bool {
	c.readEnd = time.Unix(1, 0) // none that is ever wanted again
	return c.phase <= readNext && timedOut(err) && c.peek() == peekData &&
		c.Conn.SetReadDeadline(time.Now().Add(time.Second)) == nil
}

// parks says whether the wait for another request, which has been in vain so far, goes on in the parking. That is asked
// once for each wait: bytes that are no request, such as a part of a TLS record, keep the goroutine until the idle time ends.
func (c *clientConn) parks(err error) bool {
	if !c.parkable || c.phase != readNext || !timedOut(err) || c.server.draining.Load() {
		return false
	}
	c.parkable, c.armed = false, false
	c.parked = c.server.clock() < c.idleEnd()
	return c.parked
}

// idleEnd is when the idle time ends, on the server's clock.
func (c *clientConn) idleEnd() int64 {
	if c.timeouts.idle <= 0 {
		return math.MaxInt64
	}
	return c.since.Load() + int64(c.timeouts.idle)
}

// mayEnd says whether a drain may end the parked connection now.
func (c *clientConn) mayEnd() bool { return c.gone.Load() || time.Until(c.graceEnd()) <= 0 }

// unpark goes on with a connection that was taken out of the parking. One that is over is closed here, if nobody has to be told
// and nothing is left to be read; for all others there is a goroutine again, which finds out by itself.
func (c *clientConn) unpark(ended bool) {
	defer func() {
		if cause := recover(); cause != nil {
			c.server.panicked(cause, debug.Stack())
		}
	}()
	over := ended || c.server.draining.Load() || c.server.clock() >= c.idleEnd()
	if over && !c.secured && c.peek() != peekData {
		_ = c.Conn.Close()
		c.server.leave(c)
		return
	}
	c.server.awake.Add(1)
	go c.server.serveAgain(c)
}
