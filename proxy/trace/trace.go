// Package trace is what the proxy knows about a trace: the context that a request carries (W3C Trace Context), the decision
// whether the request is sampled, and the record of a sampled one.
//
// It owns the fields traceparent and tracestate and the shape of the record. It knows no telemetry library: what becomes of a
// record, tracing decides.
//
// Concurrency: a Context and a Sampler are values that never change; a Request belongs to the exchange that fills it, and after
// it was handed over to whoever took it.
package trace

import (
	"encoding/binary"
	"encoding/hex"
)

// ID names a trace. The zero value is none.
type ID [16]byte

// SpanID names a span within a trace. The zero value is none.
type SpanID [8]byte

// String is the id in lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// String is the id in lower-case hexadecimal digits.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// Sampled is the flag of a request whose caller has recorded it (W3C Trace Context section 3.2.2.5.1).
const Sampled = 0x01

// Context is the position in a trace that a request comes from, or goes on with.
type Context struct {
	// Trace and Span are the trace and the span of whoever sent the request. The zero value is no trace.
	Trace ID
	Span  SpanID
	// Flags are the trace flags.
	Flags byte
}

// Sampled says whether the sender has recorded the request.
func (c *Context) Sampled() bool { return c.Flags&Sampled != 0 }

// parentLength is the length of a traceparent of version 00: 2 + 32 + 16 + 2 digits and three dashes.
const parentLength = 55

// Parse reads the value of a traceparent field (W3C Trace Context section 3.2). Of versions that are not known yet it reads what
// version 00 has. It allocates nothing.
func Parse(value []byte) (c Context, ok bool) {
	if len(value) < parentLength || value[2] != '-' || value[35] != '-' || value[52] != '-' {
		return Context{}, false
	}
	var version, flags [1]byte
	if !digits(version[:], value[:2]) || !digits(c.Trace[:], value[3:35]) || !digits(c.Span[:], value[36:52]) ||
		!digits(flags[:], value[53:55]) {
		return Context{}, false
	}
	switch {
	case version[0] == 0xff, c.Trace == ID{}, c.Span == SpanID{}:
		return Context{}, false
	case len(value) == parentLength:
	case version[0] == 0, value[parentLength] != '-':
		return Context{}, false
	}
	c.Flags = flags[0]
	return c, true
}

// digits reads lower-case hexadecimal digits; no others are allowed.
func digits(dst, text []byte) bool {
	for i := range dst {
		high, low := digit(text[2*i]), digit(text[2*i+1])
		if high > 15 || low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// digit is the value of a digit; more than 15 when it is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// Append appends the value of a traceparent field of version 00.
func (c *Context) Append(dst []byte) []byte {
	dst = append(dst, "00-"...)
	dst = hex.AppendEncode(dst, c.Trace[:])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, c.Span[:])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, []byte{c.Flags})
}

// NewID makes the id of a trace of random bits that the caller has drawn.
func NewID(random [2]uint64) (id ID) {
	binary.BigEndian.PutUint64(id[:8], random[0])
	binary.BigEndian.PutUint64(id[8:], random[1]|1) // never zero, which would be no trace
	return id
}

// NewSpanID makes the id of a span of random bits that the caller has drawn.
func NewSpanID(random uint64) (id SpanID) {
	binary.BigEndian.PutUint64(id[:], random|1)
	return id
}
