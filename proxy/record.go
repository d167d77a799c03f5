package proxy

import (
	"time"

	"haldane/stats"
)

// begun counts the request as in flight on the variant that it is about to be written to. That is the variant that was
// tried first, and the outcome is booked there whatever happens next.
func (x *exchange) begun() {
	if x.counting == uncounted {
		x.enter()
		x.expose()
		x.watchStall()
	}
}

// enter counts the request as in flight.
func (x *exchange) enter() {
	x.counting, x.tried = counting, x.variant
	x.inFlight = x.variant.counter.Begin(x.conn.id)
}

// The states of an exchange's record.
const (
	uncounted uint8 = iota
	counting
	counted
)

// settle records the outcome, once: the first outcome that is known stands. It is called as soon as the endpoint has
// nothing more to say and before the client has its last byte. So whoever has seen the failure that used up the budget,
// and asks again, does not meet the canary any more.
func (x *exchange) settle(f failure) {
	if x.counting == counted || x.variant == nil {
		return
	}
	if x.counting == uncounted {
		x.enter()
	}
	x.unwatchStall()
	x.counting = counted
	x.failed = f
	outcome, events := x.outcomeOf(f)
	x.booked = outcome
	lane := x.lane.With(events)
	if x.stalled {
		lane = stats.Unjudged // it was judged when it stalled
	}
	if !x.measured.Empty() && outcome.Succeeded() {
		x.tried.stats.Measure(x.conn.id, lane, &x.measured)
	}
	if part := x.assignment.Part; part != 0 {
		x.tried.stats.CountPart(x.conn.id, lane, part, outcome)
	}
	x.exemplify(outcome)
	x.inFlight.End(stats.Record{
		Outcome:   outcome,
		Status:    x.status,
		Method:    stats.MethodOf(x.request.Method),
		FirstByte: x.firstByte,
		BytesIn:   x.body.count.Load(),
		BytesOut:  x.bytesOut,
		Lane:      lane,
	})
	x.chargeTime()
	if outcome.Failed() || x.stalled {
		x.remember(outcome)
	}
	if outcome.Failed() && !x.stalled { // what has stalled was charged then
		c := x.charges()
		c.failed()
	}
}

// seen notes the head of the endpoint's answer.
func (x *exchange) seen(status int, now time.Time) {
	x.unwatchStall()
	x.status = status
	x.firstByte = now.Sub(x.started)
}
