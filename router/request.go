// Package router decides where a request goes: request -> service -> assignment.
//
// It owns the table of services, the segments, the pins and the split. It does no I/O and allocates nothing per request,
// except to remember what a regular expression said to a value it had not seen lately. It knows no HTTP library: each
// stack shows a request through the Request interface.
//
// Concurrency: a Table is immutable and may be read by any number of goroutines. A change of configuration or of one
// split makes a new Table. Two things change behind a table: a Revocation, which is atomic, and the memo of regular
// expressions, which has locks of its own, held for one look-up, and never changes an answer.
package router

import "net/netip"

// Request is the small view of a request that the router reads. The returned bytes are only read, and only during the
// call that was given the request. Lookups take no memory.
type Request interface {
	// Method is the request method as sent.
	Method() []byte
	// Host is the host asked for, in lower case, without the port.
	Host() []byte
	// Path is the path as sent, without the query.
	Path() []byte
	// Field is the first value of a field; names compare without regard to case. ok is false when there is none.
	Field(name string) (value []byte, ok bool)
	// Cookie is the first value of a cookie.
	Cookie(name string) (value []byte, ok bool)
	// Query is the first value of a query parameter, as sent (not percent-decoded).
	Query(name string) (value []byte, ok bool)
	// ClientAddr is the client's address; an IPv4 address is never in its IPv6 form.
	ClientAddr() netip.Addr
}
