package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	"haldane/bench/loop"
)

// state is what a client waits for.
type state uint8

const (
	idle  state = iota // for its next request
	heads              // for the head of an answer
	body               // for the rest of its body
	frame              // for the rest of a frame
)

// client is one connection.
type client struct {
	crowd  *Crowd
	fd     int
	secure *tls.Conn // over fd, when there is TLS
	state  state
	due    time.Time // when the request under way should have been sent
	left   int64     // of the body or the frame
	in     []byte    // of a head that is not whole yet
	out    []byte    // still to be written
	upload int64     // still to be written after it
	cookie []byte    // the one request, with the cookie that was set
	framed bool      // it is a WebSocket
	last   bool      // the connection ends with this answer
	origin string
}

// send sends a request that was due at some time.
func (c *client) send(due time.Time) {
	spec := &c.crowd.spec
	c.due, c.in = due, c.in[:0]
	switch {
	case c.framed:
		c.out, c.state, c.left = c.crowd.frame, frame, int64(2+spec.Echo)
	case c.cookie != nil:
		c.out, c.state = c.cookie, heads
	default:
		c.out, c.state = spec.Requests[c.crowd.draw()], heads
	}
	c.upload = spec.Upload
	c.write()
}

// write writes what the kernel has room for.
func (c *client) write() {
	for len(c.out) > 0 || c.upload > 0 {
		data, ofHead := c.out, true
		if len(data) == 0 {
			data, ofHead = c.crowd.zeros[:min(c.upload, bulk)], false
		}
		n, err := c.push(data)
		if loop.Again(err) {
			return
		}
		if err != nil {
			c.fail(fmt.Errorf("write: %w", err))
			return
		}
		if ofHead {
			c.out = c.out[n:]
		} else {
			c.upload -= int64(n)
			c.crowd.moved(n)
		}
	}
}

// Ready reads what has come, and writes what had no room.
func (c *client) Ready() {
	if c.state != idle && (len(c.out) > 0 || c.upload > 0) {
		c.write()
	}
	for {
		buffer := c.crowd.buffer
		n, err := c.pull(buffer)
		if loop.Again(err) {
			return
		}
		if err != nil || n == 0 {
			if err == nil {
				err = io.EOF
			}
			c.fail(fmt.Errorf("read: %w", err))
			return
		}
		fd := c.fd
		if err := c.take(buffer[:n]); err != nil {
			c.fail(err)
			return
		}
		if n < len(buffer) && c.secure == nil || fd != c.fd {
			return // there is no more, or the kernel will tell; TLS reads a record at a time
		}
	}
}

// take reads a part of an answer.
func (c *client) take(data []byte) error {
	switch c.state {
	case idle:
		return errors.New("an answer that nobody asked for")
	case heads:
		if len(c.in) > 0 {
			c.in = append(c.in, data...)
			data = c.in
		}
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			if len(c.in) == 0 {
				c.in = append(c.in, data...)
			}
			return nil
		}
		if err := c.head(data[:end+4]); err != nil {
			return err
		}
		data = data[end+4:]
	}
	if int64(len(data)) > c.left {
		return errors.New("more than an answer")
	}
	c.crowd.moved(len(data))
	if c.left -= int64(len(data)); c.left == 0 && c.state != idle {
		c.done()
	}
	return nil
}

func (c *client) head(head []byte) error {
	a, err := parse(head)
	if err != nil {
		return err
	}
	spec := &c.crowd.spec
	wanted := 200
	if spec.Echo > 0 {
		wanted = 101
	}
	if a.status != wanted {
		return fmt.Errorf("status %d", a.status)
	}
	if a.cookie != nil && c.cookie == nil && len(spec.Requests) == 1 {
		c.cookie = withCookie(spec.Requests[0], a.cookie)
	}
	c.state, c.left, c.last, c.origin = body, a.length, a.last, a.origin
	return nil
}

// withCookie adds a cookie to those that a request has.
func withCookie(request, cookie []byte) []byte {
	before, after, found := bytes.Cut(request, []byte("\r\nCookie: "))
	if !found {
		head := bytes.TrimSuffix(request, []byte("\r\n"))
		return fmt.Appendf(nil, "%sCookie: %s\r\n\r\n", head, cookie)
	}
	return fmt.Appendf(nil, "%s\r\nCookie: %s; %s", before, cookie, after)
}

// done is a good answer.
func (c *client) done() {
	due := c.due
	c.state = idle
	if c.crowd.spec.Echo > 0 && !c.framed {
		c.framed = true
		c.crowd.free(c)
		return
	}
	if c.last {
		c.last = false
		c.redial()
	}
	c.crowd.answered(c, due)
}

// fail is a bad answer, or none; the client begins anew. A connection that is lost while nothing is under way harms nobody.
func (c *client) fail(err error) {
	busy := c.state != idle
	c.redial()
	if busy {
		c.crowd.failed(c, err)
	}
}
