package proxy

import (
	"errors"
	"time"

	"haldane/proxy/upstream"
)

// maxStale bounds how often one request may meet a connection that its endpoint was just closing. The second time is on a
// fresh connection already, so more than once takes an endpoint that cannot open one.
const maxStale = 3

// tries is what was done to get an answer, beside the first try.
type tries struct {
	retries  int       // sent again to the same variant
	stale    int       // sent again because a connection was found dead
	fresh    bool      // the next try is on a connection of its own
	turn     bool      // one place of the retry budget is taken
	rescued  bool      // the stable answers for the canary
	relayed  bool      // the client has an interim response of an earlier try
	deadline time.Time // of the whole request, set by the variant that was tried first; zero for none
}

// retryTerms are config.Retries, ready for use.
type retryTerms struct {
	attempts int
	share    float64
	minimum  int
}

// again decides whether a request is sent again after a failed try, and to where.
//
// A connection that was found dead before any byte of an answer is no failure of its endpoint, which closed it for being idle
// (RFC 9112 section 9.3.1): that is repeated at once and counted nowhere. What failed for another reason is booked first and
// sent again then, within the terms of the service.
func (x *exchange) again(err error, f failure) bool {
	var failed *upstream.Error
	if !errors.As(err, &failed) {
		return false
	}
	switch {
	case failed.Kind == upstream.KindRevoked:
		// The canary was rolled back since the request was assigned to it. Of this try nothing was written.
		x.reassign()
		x.pick()
	case !f.ofEndpoint():
		return false
	case failed.Stale && x.repeatable() && x.tries.stale < maxStale:
		x.tries.stale++
		x.tries.fresh = true
	case x.retries(failed.Kind):
		x.settle(f)
		x.tries.retries++
		x.service.stats.Clients().Retried()
		x.pickOther()
	default:
		return false
	}
	return true
}

// retries says whether a failure of this kind is worth a retry, and takes its place in the budget.
func (x *exchange) retries(kind upstream.Kind) bool {
	terms := &x.service.retries
	if x.tries.retries >= terms.attempts || x.tries.relayed || x.late() || x.mayRescue() {
		return false // where there is a rescue, the stable is the better place to go
	}
	switch kind {
	case upstream.KindConnect:
		// Nothing was sent, so that any method may be sent elsewhere, with its body as long as nothing of it was read.
		if x.request.Length != 0 && (x.tries.rescued || !x.bodyAgain(connectFailed)) {
			return false
		}
	case upstream.KindReset:
		if !x.repeatable() {
			return false
		}
	case upstream.KindTimeout:
		// An endpoint that is slow gets slower with every repetition: only where the whole has an end.
		if !x.repeatable() || x.variant.requestTimeout <= 0 {
			return false
		}
	default:
		return false
	}
	x.tries.turn = x.tries.turn || x.service.shared.again.take(x.service.room())
	return x.tries.turn
}

// repeatable says whether the request may have reached an endpoint and still be sent again: its method is idempotent
// (RFC 9110 section 9.2.2), it has no body, and the client has nothing of an answer.
func (x *exchange) repeatable() bool {
	return x.request.Length == 0 && idempotent(x.request.Method) && !x.tries.relayed
}

// idempotent says whether a method may be repeated (RFC 9110 section 9.2.2). Of a method that is not known, nobody knows.
func idempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// late says whether the time limit of the request is over.
func (x *exchange) late() bool {
	end := x.deadline()
	return !end.IsZero() && !time.Now().Before(end)
}

// deadline is when the request must be over; zero for never.
func (x *exchange) deadline() time.Time {
	end := x.tries.deadline
	if limit := x.variant.requestTimeout; limit > 0 {
		if own := x.started.Add(limit); end.IsZero() || own.Before(end) {
			end = own
		}
	}
	return end
}

// room is how many requests of the service may be sent again at a time: a share of those under way, so that repeating what
// fails does not become the load that makes it fail.
func (s *service) room() int {
	var underWay int64
	for i := range s.variants {
		underWay += s.variants[i].endpoints.InFlight()
	}
	return max(s.retries.minimum, int(s.retries.share*float64(underWay)))
}

// endTurn gives the place in the retry budget to the next one.
func (x *exchange) endTurn() {
	if x.tries.turn {
		x.tries.turn = false
		x.service.shared.again.leave(x.service.room())
	}
}
