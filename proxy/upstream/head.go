package upstream

import (
	"io"
	"time"

	"haldane/proxy/http1"
)

// receive reads response heads up to the final one.
func (c *conn) receive(isHead bool) *Error {
	resp := &c.response.Response
	for interims := 0; ; interims++ {
		n, err := c.readHead(isHead)
		if err != nil {
			return c.giveUp("read response head", err, c.reused && interims == 0 && c.buf.Len() == 0)
		}
		switch {
		case resp.Status == 101 && !c.options.Upgrade:
			return c.giveUp("read response head", errUpgrade, false)
		case resp.Status == 101, resp.Status >= 200:
			resp.Closes = resp.Closes || resp.Status == 101 // no HTTP comes after it, whoever ends up with it
			c.headCame()
			c.buf.Discard(n)
			c.response.start()
			c.now, c.waited = time.Now(), false
			c.response.At = c.now
			return nil
		case interims == maxInterims:
			return c.giveUp("read response head", errInterims, false)
		}
		if c.options.Interim != nil {
			c.options.Interim(resp)
		}
		c.buf.Discard(n)
	}
}

// readHead waits for one response head and parses it. It parses what comes first at once, to refuse a peer that does not
// speak HTTP, and then only when the head is complete.
func (c *conn) readHead(isHead bool) (int, error) {
	limit := c.endpoint.options.HeaderSize
	scanned, ready := 0, c.buf.Len() > 0
	for {
		if ready {
			n, err := http1.ParseResponseHead(c.buf.Bytes(), isHead, &c.response.Response)
			if err == nil && n > limit {
				err = errHeadSize
			}
			if err != http1.ErrIncomplete {
				return n, err
			}
		}
		if c.buf.Len() >= limit {
			return 0, errHeadSize
		}
		first := c.buf.Len() == 0
		if err := c.fillHead(); err != nil {
			return 0, err
		}
		scanned, ready = http1.HeadReady(c.buf.Bytes(), scanned)
		ready = ready || first
	}
}

// fillHead reads more of a response head, in a wider buffer when it has to be.
func (c *conn) fillHead() error {
	err := c.buf.Fill()
	if err == http1.ErrBufferFull {
		c.wide = make([]byte, min(2*c.buf.Len(), c.endpoint.options.HeaderSize)+1)
		c.buf.Move(c.wide)
		err = c.buf.Fill()
	}
	switch {
	case err == nil:
		return nil
	case c.buf.Len() == 0 && ended(err):
		return errNoAnswer
	case ended(err):
		return io.ErrUnexpectedEOF
	}
	return err
}
