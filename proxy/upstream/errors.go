package upstream

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"haldane/proxy/http1"
)

// Kind is what went wrong with an exchange, as far as it matters to who is to blame and what may be done next.
type Kind uint8

// The kinds of failure.
const (
	// KindConnect: no connection could be opened, in time or at all. Nothing was sent.
	KindConnect Kind = iota + 1
	// KindTimeout: the endpoint took longer than a limit allows, or the exchange's deadline has passed.
	KindTimeout
	// KindReset: the connection was reset, or closed before the first byte of an answer.
	KindReset
	// KindTruncated: the connection was closed in the middle of a response head or body.
	KindTruncated
	// KindFraming: the endpoint sent what is not a well-formed response, or more than is allowed.
	KindFraming
	// KindFull: there is no room for another connection, by MaxConnections or for want of file descriptors or ports.
	// Nothing was sent, and the endpoint is not to blame.
	KindFull
	// KindRequestBody: the request's body failed while it was read from the client. The endpoint is not to blame.
	KindRequestBody
	// KindRevoked: the gate was closed (ErrRevoked). Nothing was sent.
	KindRevoked
	// KindAborted: the caller has ended the exchange by Abort.Fire. The endpoint is not to blame.
	KindAborted
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{"none", "connect", "timeout", "reset", "truncated", "framing", "full", "request_body", "revoked", "aborted"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Error is the failure of one exchange.
type Error struct {
	// Kind is what went wrong.
	Kind Kind
	// Op is what was being done, with the address where it helps.
	Op string
	// Stale tells that the connection had served before and failed before the first byte of this answer: most likely the
	// endpoint closed it just then, for being idle (RFC 9112 section 9.3.1), and the request may be repeated if it is
	// idempotent and its body, if any, can be.
	Stale bool
	// Err is the cause.
	Err error
}

// Error says what was being done and why it failed.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// sentinel is an error that is a constant.
type sentinel string

// Error returns the text of the constant.
func (s sentinel) Error() string { return string(s) }

// ErrRevoked is the cause of a KindRevoked: the gate was closed, and nothing was written.
const ErrRevoked = sentinel("the gate is closed")

const (
	errFull        = sentinel("every connection is in use")
	errQueue       = sentinel("no connection became free in time")
	errNoAnswer    = sentinel("the connection was closed without an answer")
	errDeadline    = sentinel("the deadline of the exchange has passed")
	errAborted     = sentinel("the exchange was aborted")
	errHeadSize    = sentinel("the response head is too large")
	errInterims    = sentinel("too many interim responses")
	errUpgrade     = sentinel("101 without a request to switch protocols")
	errClosed      = sentinel("the response was closed")
	errUnannounced = sentinel("the connection ended without a closure alert")
	errBodyPanic   = sentinel("reading the request body panicked")
	errBodyTooLong = sentinel("the request body gave more than it was asked for")
)

// errDead says within this package that a connection had ended before anything was written to it.
var errDead = &Error{Kind: KindReset, Op: "send request", Stale: true, Err: errNoAnswer}

// kindOf classifies an error of reading from or writing to a connection. A plain io.EOF must have been replaced before by
// what it means at that place.
func kindOf(err error) Kind {
	var syntax *http1.SyntaxError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), err == errDeadline:
		return KindTimeout
	case errors.Is(err, io.ErrUnexpectedEOF), err == errUnannounced:
		return KindTruncated
	case errors.As(err, &syntax), err == errHeadSize, err == errInterims, err == errUpgrade:
		return KindFraming
	}
	return KindReset
}

// dialKind classifies an error of opening a connection: want of resources of our own is not the endpoint's fault.
func dialKind(err error) Kind {
	for _, own := range [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, own) {
			return KindFull
		}
	}
	return KindConnect
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
