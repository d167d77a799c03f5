package proxy

import (
	"errors"
	"io"
	"time"

	"haldane/proxy/http1"
)

// inbound is a request as the reader of requests hands it over: bytes of the wire, not yet trusted. Everything in it dies
// when the exchange ends.
type inbound struct {
	at       time.Time // when it was handed over; zero before, and for one that could not be read
	method   []byte
	target   []byte
	protocol []byte
	block    []byte // the raw lines of all fields
	length   int64  // of the body as the reader understood it: -1 chunked, -2 none
	close    bool   // the client wants no further request on the connection
	body     io.Reader
	trailers trailerSource
}

// trailerSource gives the raw lines of the trailer fields, once the body has been read to its end.
type trailerSource interface{ TrailerHeader() []byte }

// guard checks the request and takes it apart. Whatever is ambiguous is refused here, in one place, so that what goes on
// is exactly one well-formed request that every parser reads the same way.
func (x *exchange) guard() failure {
	x.version10 = string(x.in.protocol) == "HTTP/1.0"
	if !x.version10 && string(x.in.protocol) != "HTTP/1.1" {
		// Another version's semantics are unknown (RFC 9110 section 2.5).
		return badVersion
	}
	if f := x.guardFields(); f != none {
		return f
	}
	x.identify()
	if f := x.guardTarget(); f != none {
		return f
	}
	if f := x.guardBody(); f != none {
		return f
	}
	x.guardUpgrade()
	return none
}

// guardFields parses the fields from the wire. The reader has read them too, but forgives more than RFC 9112 allows
// (lines that end in a bare LF, folded lines, white space in names).
func (x *exchange) guardFields() failure {
	fields, err := http1.ParseFields(x.in.block, x.kept.fields[:0], x.snapshot.limits.fields)
	if err != nil {
		return syntaxFailure(err)
	}
	x.kept.fields = fields
	x.view.setFields(fields)
	if expect, ok := x.view.Field("Expect"); ok && !x.version10 && !http1.EqualFold(expect, "100-continue") {
		// RFC 9110 section 10.1.1; HTTP/1.0 has no expectations.
		return badExpectation
	}
	return none
}

// guardTarget checks method, target and Host, and brings the target into origin-form (RFC 9112 section 3.2).
func (x *exchange) guardTarget() failure {
	method := x.in.method
	if !http1.ValidToken(method) {
		return malformedRequest
	}
	if string(method) == "CONNECT" {
		// A reverse proxy opens no tunnels to where a client likes.
		return badMethod
	}
	target, err := http1.ParseTarget(method, x.in.target)
	if err != nil {
		return badTarget
	}
	minor := 1
	if x.version10 {
		minor = 0
	}
	authority, err := http1.RequestHost(x.view.fields, minor)
	if err != nil {
		return badHost
	}
	if target.Form == http1.AbsoluteForm {
		if !x.conn.trusted && !x.conn.secured && http1.EqualFold(x.in.target[:len("https")], "https") {
			// Only a trusted gateway may say that a request was secured on its way here (RFC 9110 section 7.4).
			return misdirected
		}
		// The Host field must be valid, but is not looked at any more (RFC 9112 section 3.2.2).
		authority = target.Authority
	}
	if len(authority) == 0 && !x.version10 {
		// An http URI without a host is invalid (RFC 9110 section 4.2.1), and no two servers agree on what it means.
		return badHost
	}
	x.authority, x.request.Method, x.target = authority, method, target.Origin
	x.request.Target = x.target
	x.view.method = method
	x.kept.host = appendHost(x.kept.host[:0], authority)
	x.view.host = x.kept.host
	x.view.setTarget(target.Origin)
	return none
}

// guardBody settles the length of the body. The strict reading and the reader's must agree: where they do not, the two
// would see different requests on the same connection, which is how requests are smuggled (RFC 9112 section 11.2).
func (x *exchange) guardBody() failure {
	length, err := http1.RequestLength(x.view.fields)
	if err != nil {
		return syntaxFailure(err)
	}
	if length != bodyLength(x.in.length) || x.version10 && length == http1.LengthChunked {
		return badFraming
	}
	limit := x.snapshot.limits.body
	if limit > 0 && length > limit {
		return bodyTooLarge
	}
	if length != 0 && x.in.body == nil && !x.expected {
		return badFraming
	}
	x.body.start(x.conn, x.in.body, length, limit)
	x.request.Length, x.request.Body = length, nil
	if length != 0 {
		x.request.Body = &x.body
	}
	return none
}

// syntaxFailure is the answer to what http1 refuses.
func syntaxFailure(err error) failure {
	var syntax *http1.SyntaxError
	if errors.As(err, &syntax) {
		switch syntax.Status {
		case 431:
			return tooManyFields
		case 501:
			return badCoding
		}
	}
	return malformedRequest
}
