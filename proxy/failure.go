package proxy

import "haldane/stats"

// failure says why Haldane answers a request itself.
type failure uint8

const (
	none failure = iota

	// What is wrong with the request.
	malformedRequest
	badFraming
	badCoding
	badHost
	badTarget
	badVersion
	badMethod
	badExpectation
	headTooLarge
	targetTooLong
	headTooSlow
	tooManyFields
	bodyTooLarge
	bodyTooSlow
	bodyCut
	bodyMalformed
	plainHTTP // on a port of HTTPS
	misdirected

	// What is missing on this side.
	noService
	tooManyConnections
	serviceFull
	clientFull
	memoryShort
	panicked

	// What went wrong with the endpoint.
	noEndpoint
	connectFailed
	upstreamReset
	upstreamMalformed
	upstreamTruncated
	upstreamTimeout
	upstreamFull
	badAnswer // a status that counts as failed, of a canary that could be rescued

	// clientGone is a client that nobody can answer any more.
	clientGone
)

// reply is what the client is told about a failure.
type reply struct {
	status int
	reason string // of the status line
	what   string // the value of Haldane-Error, and the body
	retry  bool   // it may work in a second
}

// reply says what the client is told. A clientGone has none.
func (f failure) reply() reply {
	switch f {
	case malformedRequest:
		return reply{400, "Bad Request", "malformed request", false}
	case badFraming:
		return reply{400, "Bad Request", "ambiguous body length", false}
	case badCoding:
		return reply{501, "Not Implemented", "transfer coding not implemented", false}
	case badHost:
		return reply{400, "Bad Request", "invalid host", false}
	case badTarget:
		return reply{400, "Bad Request", "invalid target", false}
	case badVersion:
		return reply{505, "HTTP Version Not Supported", "unsupported version", false}
	case badMethod:
		return reply{501, "Not Implemented", "method not implemented", false}
	case badExpectation:
		return reply{417, "Expectation Failed", "unknown expectation", false}
	case headTooLarge:
		return reply{431, "Request Header Fields Too Large", "request head too large", false}
	case targetTooLong:
		return reply{414, "URI Too Long", "request target too long", false}
	case headTooSlow:
		return reply{408, "Request Timeout", "request head too slow", false}
	case tooManyFields:
		return reply{431, "Request Header Fields Too Large", "too many fields", false}
	case bodyTooLarge:
		return reply{413, "Content Too Large", "request body too large", false}
	case bodyTooSlow:
		return reply{408, "Request Timeout", "request body too slow", false}
	case bodyCut:
		return reply{400, "Bad Request", "request body cut short", false}
	case bodyMalformed:
		return reply{400, "Bad Request", "malformed request body", false}
	case plainHTTP:
		return reply{400, "Bad Request", "plain HTTP on a port of HTTPS", false}
	case misdirected:
		return reply{421, "Misdirected Request", "https over a plain connection", false}
	}
	return f.ownReply()
}

// ownReply is reply for what is not the client's fault.
func (f failure) ownReply() reply {
	switch f {
	case noService:
		return reply{404, "Not Found", "no service", false}
	case tooManyConnections:
		return reply{503, "Service Unavailable", "too many connections", true}
	case memoryShort:
		return reply{503, "Service Unavailable", "out of memory", true}
	case noEndpoint:
		return reply{503, "Service Unavailable", "no endpoint", true}
	case serviceFull:
		return reply{503, "Service Unavailable", "too many requests", true}
	case clientFull:
		return reply{429, "Too Many Requests", "too many requests of one client", true}
	case connectFailed:
		return reply{502, "Bad Gateway", "connect", false}
	case upstreamReset:
		return reply{502, "Bad Gateway", "reset", false}
	case upstreamMalformed:
		return reply{502, "Bad Gateway", "malformed response", false}
	case upstreamTruncated:
		return reply{502, "Bad Gateway", "truncated response", false}
	case upstreamTimeout:
		return reply{504, "Gateway Timeout", "timeout", false}
	case upstreamFull:
		return reply{503, "Service Unavailable", "no connection free", true}
	case badAnswer:
		return reply{502, "Bad Gateway", "refused answer", false}
	}
	return reply{500, "Internal Server Error", "internal error", false}
}

// trusted says whether the request itself was in order, so that another one may follow on its connection.
func (f failure) trusted() bool { return f == none || f >= noService && f != panicked }

// ofEndpoint says whether it was the endpoint that failed, or that could not be reached.
func (f failure) ofEndpoint() bool { return f >= noEndpoint && f < clientGone }

// outcome is how a failure after the assignment is booked on the variant. What the client did wrong is neither good nor
// bad.
func (f failure) outcome() stats.Outcome {
	switch f {
	case noEndpoint, connectFailed:
		return stats.OutcomeConnect
	case upstreamReset:
		return stats.OutcomeReset
	case upstreamMalformed:
		return stats.OutcomeFraming
	case upstreamTruncated:
		return stats.OutcomeTruncated
	case upstreamTimeout:
		return stats.OutcomeTimeout
	case upstreamFull, serviceFull, clientFull:
		return stats.OutcomeRefused
	case badAnswer:
		return stats.OutcomeServerError
	}
	return stats.OutcomeClientGone
}
