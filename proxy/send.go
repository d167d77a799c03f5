package proxy

import "time"

// How a connection writes to its client. Reading is in conn.go.

// send writes a part of a final response now.
func (c *clientConn) send(p []byte, now time.Time) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	lower(&c.expecting)
	return c.writeLocked(p, now)
}

// sendInterim writes an interim response.
func (c *clientConn) sendInterim(p []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.writeLocked(p, time.Now())
}

// sendContinue tells the client to send its body, now that somebody waits for it (RFC 9110 section 10.1.1). This is the one
// write that the goroutine of an upload makes; when the final response has begun in the meantime, it is too late for it.
func (c *clientConn) sendContinue() error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if !c.expecting.Swap(false) {
		return nil
	}
	return c.writeLocked([]byte("HTTP/1.1 100 Continue\r\n\r\n"), time.Now())
}

func (c *clientConn) writeLocked(p []byte, now time.Time) error {
	if err := c.armWrite(now); err != nil {
		return err
	}
	_, err := c.Conn.Write(p)
	return err
}

// armWrite sets the write limit, if it is time to: that costs more than a small write's own work, so it is done only when
// a good part of the last one is used up. A reload may have switched the limit off in the meantime.
func (c *clientConn) armWrite(now time.Time) error {
	limit := c.timeouts.write
	switch {
	case limit > 0 && now.Sub(c.writeArmed) > limit/8:
		c.writeArmed = now
		return c.Conn.SetWriteDeadline(now.Add(limit))
	case limit <= 0 && !c.writeArmed.IsZero():
		c.writeArmed = time.Time{}
		return c.Conn.SetWriteDeadline(time.Time{})
	}
	return nil
}
