package upstream

import (
	"context"
	"io"
	"net"
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/socket"
)

// maxInterims bounds the interim (1xx) responses before the final one.
const maxInterims = 32

// Gate may close an endpoint between the choice of it and the first byte that goes there.
type Gate interface {
	// Revoked reports whether nothing more may be sent. It must not wait.
	Revoked() bool
}

// Exchange are the terms of one exchange. The zero value is an exchange without any.
type Exchange struct {
	// Gate is asked right before the first byte is written, after all that may have to wait. May be nil.
	Gate Gate
	// Now is the time, where the caller has just looked. Zero: RoundTrip looks itself.
	Now time.Time
	// Deadline ends the whole exchange, the response's body included. Zero is none.
	Deadline time.Time
	// HeadBy is when the final response head must have come, if that is before Deadline. Zero is none.
	HeadBy time.Time
	// Fresh asks for a connection of its own, because one that had served before was just found dead: others are likely to
	// be so too. It is a wish: where no further connection may be opened, one that is idle is used.
	Fresh bool
	// Interim is called for every interim response (100, 103 and the like, never 101), which is valid only during the
	// call, on the goroutine of RoundTrip. Nil drops them.
	Interim func(*http1.Response)
	// Upgrade says that the request asks to switch protocols, without a body. A 101 is then a final response, whose Tunnel
	// takes the connection over; for any other request it is an error.
	Upgrade bool
	// Abort lets another goroutine end the exchange. May be nil.
	Abort *Abort
}

// RoundTrip sends a request and waits for the head of its response. It does so once: nothing is ever sent again. The
// response must be closed; until then, or until an error is returned, req.Body and req.Trailers may be in use by another
// goroutine, so their memory must not be touched. A body whose Read may block should be an http1.ReadCanceler, because
// whatever ends the exchange has to wait for that Read.
//
// The response may come while the body is still going up; Response.Close says what becomes of the upload. The error is an
// *Error.
func (e *Endpoint) RoundTrip(req *http1.Request, opt Exchange) (*Response, error) {
	for {
		c, failure := e.connect(&opt)
		if failure != nil {
			return nil, failure
		}
		c.begin(&opt)
		switch failure = c.guarded(req); failure {
		case nil:
			return &c.response, nil
		case errDead:
			opt.Now = time.Time{}
		default:
			return nil, failure
		}
	}
}

// guarded is exchange, which gives the connection up also when a function of the caller panics.
func (c *conn) guarded(req *http1.Request) *Error {
	done := false
	defer func() {
		if !done {
			c.abandon()
		}
	}()
	failure := c.exchange(req)
	done = true
	return failure
}

// Connect opens a connection and closes it again, to see whether that can be done. Of opt, Deadline and Abort count. The
// error is an *Error.
func (e *Endpoint) Connect(opt Exchange) error {
	c, failure := e.dial(time.Now(), &opt)
	if failure != nil {
		return failure
	}
	opt.Abort.detach()
	return c.net.Close()
}

// headBy is when the final response head must have come. Zero is no limit.
func (x *Exchange) headBy() time.Time { return earlier(x.Deadline, x.HeadBy) }

// earlier is the earlier of two ends; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// connect finds or opens a connection.
func (e *Endpoint) connect(opt *Exchange) (*conn, *Error) {
	now := opt.Now
	if now.IsZero() {
		now = time.Now()
	}
	if !opt.Deadline.IsZero() && !now.Before(opt.Deadline) {
		return nil, &Error{Kind: KindTimeout, Op: "begin exchange", Err: errDeadline}
	}
	if opt.Fresh && e.pool.reserve() {
		return e.open(now, opt)
	}
	got := e.pool.take(now)
	c := got.conn
	if c == nil && !got.mayOpen {
		if got.waiter == nil {
			return nil, &Error{Kind: KindFull, Op: "connect to " + e.options.Address, Err: errFull}
		}
		var failure *Error
		if c, failure = e.wait(got.waiter, now, opt); failure != nil {
			return nil, failure
		}
		now = time.Now()
	}
	if c != nil {
		c.reused, c.now = true, now
		return c, nil
	}
	return e.open(now, opt)
}

// open opens a connection, for which there is a place in the pool.
func (e *Endpoint) open(now time.Time, opt *Exchange) (*conn, *Error) {
	c, failure := e.dial(now, opt)
	if failure != nil {
		e.pool.forfeit()
	}
	return c, failure
}

// dial opens a connection, for which there is a place in the pool.
func (e *Endpoint) dial(now time.Time, opt *Exchange) (*conn, *Error) {
	op := "connect to " + e.options.Address
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if !opt.Abort.dialing(cancel) {
		return nil, &Error{Kind: KindAborted, Op: op, Err: errAborted}
	}
	dialer := net.Dialer{Deadline: opt.headBy()}
	if limit := e.options.Timeouts.Connect; limit > 0 {
		dialer.Deadline = earlier(dialer.Deadline, now.Add(limit))
	}
	c := &conn{endpoint: e}
	c.victim.conn = c
	var err error
	c.net, err = dialer.DialContext(ctx, "tcp", e.options.Address)
	if err == nil {
		c.net = socket.Wrap(c.net)
		c.probe.init(c.net)
		c.asker = newAsker(c.net)
		if e.tls != nil {
			err = c.secure(ctx, dialer.Deadline)
		}
	}
	if err != nil {
		kind := dialKind(err)
		switch {
		case opt.Abort.fired():
			kind = KindAborted
		case !opt.Deadline.IsZero() && !time.Now().Before(opt.Deadline):
			kind = KindTimeout
		}
		return nil, &Error{Kind: kind, Op: op, Err: err}
	}
	c.upload.done = make(chan struct{}, 1)
	c.now = time.Now()
	return c, nil
}

// exchange sends the request and reads the response head. When it fails, the connection is given up, or back to the pool
// where nothing was written to it. It fails with errDead when the connection had ended before.
func (c *conn) exchange(req *http1.Request) *Error {
	asks := c.asker != nil && req.Length == 0
	if c.reused && !asks && !c.alive() {
		return c.bury()
	}
	message := http1.AppendRequestHead(c.head.octets[:0], req)
	inline := fitsInline(req, cap(message)-len(message))
	if !c.options.Abort.attach(c) {
		return c.release(&Error{Kind: KindAborted, Op: "send request", Err: errAborted})
	}
	// A body at hand is taken after this: whoever is refused here can still send the request elsewhere.
	if g := c.options.Gate; g != nil && g.Revoked() {
		return c.release(&Error{Kind: KindRevoked, Op: "send request", Err: ErrRevoked})
	}
	if inline && req.Length > 0 {
		head := len(message)
		message = message[:head+int(req.Length)]
		if _, err := io.ReadFull(req.Body, message[head:]); err != nil {
			return c.release(&Error{Kind: KindRequestBody, Op: "read request body", Err: err})
		}
	}
	c.buf.Reset(c, c.head.octets[:])
	if asks {
		if failure := c.ask(message); failure != nil {
			return failure
		}
		return c.receive(string(req.Method) == "HEAD")
	}
	if err := c.write(message); err != nil {
		return c.giveUp("send request", err, c.reused)
	}
	c.armHead(inline, time.Now())
	if !inline {
		c.startUpload(req)
	}
	return c.receive(string(req.Method) == "HEAD")
}

// ask sends a request without a body and waits for the beginning of the answer, which comes to stand where the request stood.
func (c *conn) ask(message []byte) *Error {
	if err := c.armWrite(c.now); err != nil {
		return c.giveUp("send request", err, c.reused)
	}
	c.moveHead(true, c.now)
	a := c.asker.ask(message, c.head.octets[:], c.reused)
	switch {
	case a.phase == askNoisy:
		return c.bury()
	case a.phase == askWaiting && a.err == nil && a.got == 0:
		return c.giveUp("read response head", errNoAnswer, c.reused)
	case a.phase == askWaiting && a.err != nil:
		return c.giveUp("read response head", a.err, c.reused)
	case a.phase == askStopped && a.err == nil:
		_, a.err = c.net.Write(message[a.sent:])
	}
	if a.err != nil {
		return c.giveUp("send request", a.err, c.reused)
	}
	c.buf.Filled(a.got)
	return nil
}

// fitsInline tells whether the whole request can leave in one write, because its body is at hand and fits the room behind
// its head. Most requests then cost one write and no goroutine.
func fitsInline(req *http1.Request, room int) bool {
	if req.Length <= 0 || req.Length > int64(room) {
		return req.Length == 0
	}
	sized, ok := req.Body.(interface{ Len() int })
	return ok && int64(sized.Len()) >= req.Length
}

// bury drops the connection of an exchange that has written nothing because it found the connection ended.
func (c *conn) bury() *Error {
	whole := c.options.Abort.detach()
	c.clear()
	c.endpoint.pool.drop(c)
	if !whole {
		return &Error{Kind: KindAborted, Op: "send request", Err: errAborted}
	}
	return errDead
}

// release puts the connection of an exchange that has written nothing back to the pool.
func (c *conn) release(failure *Error) *Error {
	whole := c.options.Abort.detach()
	c.clear()
	if whole {
		c.endpoint.pool.put(c, time.Now())
	} else {
		c.endpoint.pool.drop(c)
	}
	return failure
}

// giveUp ends an exchange that has failed before there was a response.
func (c *conn) giveUp(op string, err error, stale bool) *Error {
	failure := c.fail(op, err)
	switch {
	case failure.Kind != KindReset:
	case stale:
		failure.Stale = true
	case !c.reused && c.buf.Len() == 0 && refusedByTLS(err):
		failure.Kind = KindConnect
	}
	c.abandon()
	return failure
}

// abandon closes the connection and waits for the upload to let go of the request's body.
func (c *conn) abandon() {
	c.options.Abort.detach()
	c.kill()
	c.cancelUpload()
	c.clear()
	c.endpoint.pool.forfeit()
}
