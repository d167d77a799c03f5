package proxy

import (
	"errors"
	"io"
	"sync/atomic"

	"haldane/proxy/http1"
)

// body is the body of a request on its way up. It is read by the goroutine that sends it, and says at any time to any
// goroutine whether it has been read to its end.
//
// It makes three promises that the stream behind it does not. An error stays and never comes together with data, because
// data that comes with an error is easily sent without looking at the error. The end of a chunked body is only believed
// when no read of the connection has failed, because the reader takes a connection that ends between two chunks, or a
// silence before the very last byte, for the end of the body. And a body of known length is whole or an error. Without
// them an upload that was cut short would reach the endpoint as a complete one (RFC 9112 section 8 forbids that).
type body struct {
	conn   *clientConn
	stream io.Reader
	length int64 // octets, or http1.LengthChunked
	limit  int64 // octets; zero for none
	err    error // what every further Read returns

	count  atomic.Int64  // octets read
	whole  atomic.Bool   // read to its end
	failed atomic.Uint32 // the failure that ended it, if one did
}

// The errors of a body. What the client is told is in body.failed.
const (
	errBodyTooLarge constError = "the request body is larger than limits.body_size"
	errBodyCut      constError = "the request body was cut short"
	errHandedOver   constError = "the connection has switched protocols"
	errCanceled     constError = "the request body is no longer wanted"
)

// constError is an error that is nothing but its text.
type constError string

// Error returns the text.
func (e constError) Error() string { return string(e) }

// start makes the body of a new request ready, of which nothing was read yet.
func (b *body) start(conn *clientConn, stream io.Reader, length, limit int64) {
	b.conn, b.stream, b.length, b.limit, b.err = conn, stream, length, limit, nil
	if length == 0 {
		b.whole.Store(true)
	}
	if length == http1.LengthChunked {
		conn.intake.allow(0)
	}
}

// Read reads the body.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.next(p)
	count := b.count.Add(int64(n))
	switch {
	case b.limit > 0 && count > b.limit:
		b.fail(bodyTooLarge, errBodyTooLarge)
		return 0, b.err
	case b.length >= 0 && count == b.length:
		b.end()
	case err == io.EOF && b.conn.broken.Load() == brokenBySilence:
		b.fail(bodyTooSlow, errBodyCut)
	case err == io.EOF && (b.length >= 0 || b.conn.broken.Load() != unbroken):
		b.fail(bodyCut, errBodyCut)
	case err == io.EOF:
		b.end()
	case err != nil:
		b.fail(bodyFailure(err), err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// CancelRead makes a Read that is blocked, and every later one, fail at once (http1.ReadCanceler).
func (b *body) CancelRead() { b.conn.cancelBody() }

func (b *body) end() {
	b.err = io.EOF
	b.whole.Store(true)
	b.conn.bodySent()
}

func (b *body) fail(f failure, err error) {
	b.err = err
	b.failed.Store(uint32(f))
}

// bodyFailure says what a failed read of a body means.
func bodyFailure(err error) failure {
	switch {
	case errors.Is(err, errCanceled):
		return none
	case timedOut(err):
		return bodyTooSlow
	}
	return bodyMalformed
}

// bodyLength is a length as the reader of requests names it, in the terms of http1: -1 is chunked and -2 none.
func bodyLength(length int64) int64 {
	switch length {
	case -1:
		return http1.LengthChunked
	case -2:
		return 0
	}
	return length
}
