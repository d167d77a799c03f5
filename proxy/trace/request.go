package trace

import "time"

// Request is the record of one sampled request. Everything in it is a copy: it outlives the exchange.
type Request struct {
	// Own is the position of the request's own span, Parent the span of its caller; zero for none.
	Own    Context
	Parent SpanID
	// State is the caller's tracestate.
	State string
	// Start and End are when the request came and when it was over.
	Start, End time.Time
	// Method is the request's method, Scheme "http" or "https", Host the host that was asked for, Path the path without its query,
	// which may hold secrets.
	Method, Scheme, Host, Path string
	// Service, Variant (the one that was tried first), Reason (of the assignment), Rollout and Role ("stable", "canary") are what was
	// decided; empty where it did not come to that.
	Service, Variant, Reason, Rollout, Role string
	// RequestID is the id of the request; empty without one.
	RequestID string
	// Status is the status that the client got, Outcome what was booked on the variant, and Error what went wrong; empty for nothing.
	Status         int
	Outcome, Error string
	// Rescued says that the stable answered for the canary.
	Rescued bool
	// Tries are the attempts to get an answer, in their order.
	Tries []Try
}

// Cause says why a request was sent.
type Cause uint8

// The causes of a try.
const (
	// First is the first try.
	First Cause = iota
	// Retry is one more because the try before has failed.
	Retry
	// Stale is one more because a connection was found dead.
	Stale
	// Revoked is another one because the canary was rolled back meanwhile.
	Revoked
	// Rescue is the stable's answer for the canary.
	Rescue
)

// String is the cause as it is shown.
func (c Cause) String() string {
	switch c {
	case First:
		return "first"
	case Retry:
		return "retry"
	case Stale:
		return "stale_connection"
	case Revoked:
		return "revoked"
	case Rescue:
		return "rescue"
	}
	return "unknown"
}

// Try is one attempt to get an answer from an endpoint.
type Try struct {
	// Span is its span.
	Span SpanID
	// Cause is why it was made.
	Cause Cause
	// Start and End are when.
	Start, End time.Time
	// Variant is who was asked, Endpoint (host:port) where.
	Variant, Endpoint string
	// Status is the endpoint's; zero when it did not answer.
	Status int
	// Error is what went wrong; empty for nothing.
	Error string
}

// Current is the try that is under way; nil when there is none.
func (r *Request) Current() *Try {
	if n := len(r.Tries); n > 0 && r.Tries[n-1].End.IsZero() {
		return &r.Tries[n-1]
	}
	return nil
}

// Over ends the try that is under way, if there is one.
func (r *Request) Over(now time.Time, problem string) {
	if t := r.Current(); t != nil {
		t.End, t.Error = now, problem
	}
}
