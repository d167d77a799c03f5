// Package http1 is the wire of HTTP/1.1 (RFC 9110, RFC 9112): heads, fields, framing and chunked bodies, read strictly and
// written exactly.
//
// It owns what is well formed and nothing else: it opens no connections, knows no pools, services or metrics, and no HTTP
// library. Both sides of the proxy use it, so that there is one truth about framing.
//
// Concurrency: a value belongs to one goroutine at a time; nothing is shared.
package http1

import "io"

// The lengths of a body that are not a number of octets.
const (
	// LengthChunked is a body in the chunked transfer coding.
	LengthChunked int64 = -1
	// LengthUntilClose is a response body that ends with its connection.
	LengthUntilClose int64 = -2
	// LengthUnstated is no framing field at all: for AppendResponseHead, where a response can have no body (HEAD, 1xx,
	// 204, 304) and its length is not known.
	LengthUnstated int64 = -3
)

// Request is one request to be written to an endpoint. Everything in it is only read.
type Request struct {
	// Method is the request method.
	Method []byte
	// Target is the request target as it goes on the wire (origin-form, or "*").
	Target []byte
	// Fields are the end-to-end fields, with Host, without hop-by-hop and framing fields.
	Fields Fields
	// Length is the length of the body in octets, 0 for none, or LengthChunked.
	Length int64
	// Body is the body; nil exactly when Length is 0. An error other than io.EOF means that it was cut short: the
	// endpoint must then see an incomplete message. A Body may also be a ReadCanceler, and one with a method Len() int
	// (bytes.Reader, bytes.Buffer) that reports at least Length octets travels in the same write as the head.
	Body io.Reader
	// Trailers gives the trailer fields once Body has returned io.EOF; nil for none. Only with LengthChunked.
	Trailers func() Fields
}

// ReadCanceler is a Body whose Read may block and can be ended by another goroutine.
type ReadCanceler interface {
	// CancelRead makes a Read that is blocked, and every later one, return an error at once. It may be called from any
	// goroutine, several times, and while no Read is under way.
	CancelRead()
}

// Response is one response head read from an endpoint.
type Response struct {
	// Minor is the minor version of HTTP/1, 0 or 1.
	Minor int
	// Status is the status code, 100 to 599.
	Status int
	// Reason is the reason phrase, which may be empty.
	Reason []byte
	// Fields are all fields as received, hop-by-hop and framing fields included.
	Fields Fields
	// Length is the length of the body in octets (0 for none, whatever the fields say, where the method or the status
	// allows none), LengthChunked or LengthUntilClose.
	Length int64
	// ContentLength is the value of the Content-Length field, also where no body follows (HEAD, 304); -1 without one.
	ContentLength int64
	// Closes tells that the connection must not be used again: it is HTTP/1.0, the sender says so, the body ends with the
	// connection, or the head announces a body where there can be none (204).
	Closes bool
}
