package upstream

import (
	"net"
	"sync"
	"time"

	"haldane/proxy/http1"
)

// conn is one connection and everything an exchange on it needs, so that an exchange allocates nothing.
//
// Two goroutines may use it: the caller's reads, the upload's writes. What both touch is under mu.
type conn struct {
	endpoint  *Endpoint
	net       net.Conn // what is read and written
	under     net.Conn // what lies under its TLS; nil for plain HTTP
	asker     *asker   // asks on net; nil if that cannot be done
	probe     probe
	idleSince time.Time
	reused    bool   // has answered before
	victim    victim // of an Abort: this connection

	// The exchange.
	response Response
	options  Exchange
	buf      http1.Buffer
	head     *smallBlock // holds the request head, then the response head and what follows it
	wide     []byte      // holds a response head, or what has come behind a body, that is larger than that
	rest     *smallBlock // holds the body, once head has no room for it
	upload   upload

	now       time.Time // when the exchange was begun, and then when its response began
	waited    bool      // something was read behind the head
	readArmed time.Time // when the read deadline was set for the body; zero: not yet
	readEnd   end       // the read deadline that is set
	writeEnd  end       // the write deadline that is set

	mu       sync.Mutex
	awaiting bool   // the final response head is not there yet
	failure  *Error // why the upload has ended the exchange, if it has
}

// begin makes the connection ready for an exchange.
func (c *conn) begin(o *Exchange) {
	c.options = *o
	c.head = c.endpoint.memory.takeSmall()
	c.readArmed = time.Time{}
	c.awaiting, c.failure = true, nil
	c.upload.rest()
	c.response = Response{conn: c, Response: http1.Response{Fields: c.head.fields[:0]}}
}

// clear gives back what the exchange has borrowed and forgets it.
func (c *conn) clear() {
	c.giveBlocks()
	c.buf.Reset(nil, nil)
	c.options = Exchange{}
	c.response.forget()
}

// giveBlocks gives the memory back. The buffer must be in none of it, or out of use.
func (c *conn) giveBlocks() {
	m := &c.endpoint.memory
	m.giveSmall(c.head)
	m.giveSmall(c.rest)
	c.head, c.rest, c.wide = nil, nil, nil
}

// kill closes the connection. What is blocked on it fails. It never waits: under TLS the end is not announced.
func (c *conn) kill() {
	if c.under != nil {
		_ = c.under.Close()
		return
	}
	_ = c.net.Close()
}

// alive reports whether an idle connection is open and silent.
func (c *conn) alive() bool {
	if c.asker == nil {
		c.readEnd.forget() // to look may take a limit
	}
	return c.probe.alive() && (c.under == nil || quiet(c.net))
}

// headCame ends the wait for the response head.
func (c *conn) headCame() {
	if c.upload.started {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	c.awaiting = false
}

// Read reads from the connection for the read buffer. While the head is awaited the deadline is set elsewhere (armHead);
// after it, every read may take Timeouts.Idle.
func (c *conn) Read(p []byte) (int, error) {
	c.waited = true
	for {
		if err := c.armRead(); err != nil {
			return 0, err
		}
		n, err := c.net.Read(p)
		if n == 0 && err != nil && timedOut(err) && c.armForUpload() {
			continue
		}
		return n, err
	}
}

// armRead sets the read deadline for the body. It moves it only when a good part of it is used up, and sets it late by
// the same part: setting a deadline costs about as much as a small read.
func (c *conn) armRead() error {
	idle := c.endpoint.options.Timeouts.Idle
	switch {
	case c.awaiting: // only written by this goroutine
		return nil
	case c.readArmed.IsZero():
	case idle <= 0:
		return nil
	}
	now := time.Now()
	if !c.readArmed.IsZero() && now.Sub(c.readArmed) < idle/16 {
		return nil
	}
	c.readArmed = now
	c.readEnd.set(c.before(now, idle+idle/16))
	return c.net.SetReadDeadline(c.readEnd.time)
}

// armHead sets the read deadline for the response head, if that is still awaited: Timeouts.ResponseHeader from now, when
// the request is out, or none but the exchange's own while it is not. It is as economical as armRead.
func (c *conn) armHead(sent bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moveHead(sent, now)
}

// moveHead is armHead where there is no upload beside it.
func (c *conn) moveHead(sent bool, now time.Time) {
	limit := c.endpoint.options.Timeouts.ResponseHeader
	if !sent {
		limit = 0
	}
	end, slack := endOf(c.options.headBy(), now, limit)
	if c.awaiting && c.readEnd.move(end, slack) {
		// A connection that cannot be armed fails its next read.
		_ = c.net.SetReadDeadline(c.readEnd.time)
	}
}

// armWrite sets the write deadline, in the same economical way as armRead.
func (c *conn) armWrite(now time.Time) error {
	if !c.writeEnd.move(endOf(c.options.Deadline, now, c.endpoint.options.Timeouts.Idle)) {
		return nil
	}
	return c.net.SetWriteDeadline(c.writeEnd.time)
}

// before returns the end of a limit that starts now, or the exchange's deadline if that is earlier. Zero is no limit, and
// the zero time no end.
func (c *conn) before(now time.Time, limit time.Duration) time.Time {
	if limit <= 0 {
		return c.options.Deadline
	}
	return earlier(c.options.Deadline, now.Add(limit))
}

// write sends p whole.
func (c *conn) write(p []byte) error {
	for {
		if err := c.armWrite(time.Now()); err != nil {
			return err
		}
		n, err := c.net.Write(p)
		if n == 0 || err == nil || !timedOut(err) {
			return err
		}
		p = p[n:] // it has moved: the limit is for a write that does not
	}
}

// armForUpload gives a silent endpoint more time if it has been sent a part of the request's body since: it may be busy
// with that, and the exchange is not idle before Timeouts.Idle has passed since then.
func (c *conn) armForUpload() bool {
	idle := c.endpoint.options.Timeouts.Idle
	last, uploading := c.upload.last()
	if c.awaiting || idle <= 0 || !uploading {
		return false
	}
	now := time.Now()
	end := c.before(last, idle)
	if !now.Before(end) {
		return false
	}
	c.readArmed = last
	c.readEnd.set(end)
	return c.net.SetReadDeadline(end) == nil
}

// fail says why an exchange has failed. The caller's own wish comes first, then what the upload met, because both close
// the connection and the error at hand is then only their echo.
func (c *conn) fail(op string, err error) *Error {
	if c.options.Abort.fired() {
		return &Error{Kind: KindAborted, Op: op, Err: errAborted}
	}
	c.mu.Lock()
	failure := c.failure
	c.mu.Unlock()
	if failure != nil {
		return failure
	}
	return &Error{Kind: kindOf(err), Op: op, Err: err}
}
