package proxy

import (
	"io"
	"time"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

const (
	// rescueWait is how long a failed request waits for its turn in the budget. A rescue that is not made is a failure that a
	// client sees, so that it is worth a wait, which a retry is not.
	rescueWait = time.Second
	// rescueLine bounds those who wait.
	rescueLine = 10_000
	// headShare is the part of the time limit that a canary has for the head of its answer when it could be rescued, so that
	// there is time left for that.
	headShare = 0.75
	// drainBytes bounds what is read of an answer that nobody wants, to keep its connection.
	drainBytes = 16 << 10
)

// rescueTerms are config.Rescue, ready for use.
type rescueTerms struct {
	statuses []config.StatusRange
	bodySize int64
}

func newRescueTerms(r *config.Rescue) *rescueTerms {
	if r == nil {
		return nil
	}
	return &rescueTerms{statuses: r.Statuses, bodySize: int64(r.BodySize)}
}

// mayRescue says whether the stable could answer in the canary's place, should it fail.
func (x *exchange) mayRescue() bool {
	return x.service.rescue != nil && canary(&x.assignment) && !x.tries.rescued && idempotent(x.request.Method)
}

// keepBody makes a body ready to be sent a second time, where that may be needed.
func (x *exchange) keepBody() {
	if x.request.Length != 0 && x.mayRescue() && x.request.Length <= x.service.rescue.bodySize {
		x.replay.start(&x.body, x.service.rescue.bodySize)
		x.request.Body = &x.replay
	}
}

// unwanted says whether the canary has answered with a status that counts as failed here.
func (x *exchange) unwanted() bool {
	if x.service.rescue == nil || !canary(&x.assignment) || x.tries.rescued || !idempotent(x.request.Method) {
		return false
	}
	for _, r := range x.service.rescue.statuses {
		if r.Contains(x.status) {
			return true
		}
	}
	return false
}

// rescue sends a request that has failed on the canary to the stable, if that may be done. The failure is booked first, on
// the canary, and stays there. badAnswer is a failure of which there is an answer, which the client gets when it is not
// rescued.
func (x *exchange) rescue(f failure) bool {
	if x.service.rescue == nil || !canary(&x.assignment) || x.tries.rescued || !f.ofEndpoint() {
		return false
	}
	if reason, hopeless := x.beyondRescue(f); hopeless {
		x.service.stats.Clients().SkippedRescue(reason)
		return false
	}
	x.settle(f)
	if !x.tries.turn {
		terms := queueTerms{room: x.service.room(), line: rescueLine, limit: rescueWait}
		if end := x.deadline(); !end.IsZero() {
			terms.limit = min(terms.limit, time.Until(end))
		}
		if x.service.shared.again.wait(terms) != queueServed {
			x.service.stats.Clients().SkippedRescue(stats.SkipBudget)
			return false
		}
		x.tries.turn = true
	}
	if f == badAnswer {
		x.endpoint.Report(nil, x.status)
	}
	x.toStable()
	return true
}

// beyondRescue says why a request cannot be rescued.
func (x *exchange) beyondRescue(f failure) (stats.Skip, bool) {
	switch {
	case !idempotent(x.request.Method):
		return stats.SkipMethod, true
	case x.tries.relayed || x.writer.begun:
		return stats.SkipBegun, true
	case x.late():
		return stats.SkipDeadline, true
	case !x.bodyAgain(f):
		return stats.SkipBody, true
	}
	return 0, false
}

// bodyAgain says whether the request's body can be sent again: there is none, or nothing of it was taken, or all that was is
// kept and the rest can still be read. While there is an answer, its body may still be on its way up: then it must have
// been read to its end, so that nobody reads any more.
func (x *exchange) bodyAgain(f failure) bool {
	if x.request.Length == 0 {
		return true
	}
	if !x.body.whole.Load() && (f == badAnswer || x.conn.canceled.Load() || x.body.err != nil) {
		return false
	}
	taken := x.body.count.Load()
	return taken == 0 || x.replay.body != nil && taken <= x.replay.limit
}

// toStable ends the try on the canary and makes the request the stable's.
func (x *exchange) toStable() {
	x.tries.deadline = x.deadline()
	x.endTry()
	a := &x.assignment
	a.Variant, a.Stratum = a.Split.Stable, router.StratumNone
	x.variant = &x.service.variants[a.Variant]
	x.lane = stats.Unjudged
	x.tries.rescued, x.tries.fresh = true, false
	x.status, x.firstByte, x.bytesOut = 0, 0, 0
	if x.replay.body != nil {
		x.replay.rewind()
	}
	x.pick()
}

// endTry lets go of the response of a try that nobody wants. What is there of a small one is read, which keeps the connection.
func (x *exchange) endTry() {
	if x.response == nil {
		return
	}
	for drained := 0; drained < drainBytes && x.response.Ready(); {
		piece, err := x.response.Next()
		if drained += len(piece); err != nil {
			break
		}
	}
	_ = x.response.Close()
	x.response = nil
}

// headBy is when the head of the answer must be there; zero for no other limit than the whole request's.
func (x *exchange) headBy() time.Time {
	if limit := x.variant.requestTimeout; limit > 0 && x.mayRescue() {
		return x.started.Add(time.Duration(headShare * float64(limit)))
	}
	return time.Time{}
}

// replay is the body of a request that keeps what is read of it, up to a limit, to give it a second time. It has one reader
// at a time.
type replay struct {
	body  *body
	limit int64
	kept  []byte
	lost  bool   // more was read than may be kept
	again []byte // what of kept has yet to be given the second time
	twice bool   // this is the second time
}

// start begins to keep.
func (r *replay) start(b *body, limit int64) { *r = replay{body: b, limit: limit} }

// rewind goes back to the start. It may be called once, when nobody reads, and if no more was read than is kept.
func (r *replay) rewind() { r.again, r.twice = r.kept, true }

// Read reads the body.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.again) > 0 {
		n := copy(p, r.again)
		r.again = r.again[n:]
		return n, nil
	}
	n, err := r.body.Read(p)
	switch {
	case r.twice, r.lost:
	case int64(len(r.kept)+n) <= r.limit:
		r.kept = append(r.kept, p[:n]...)
	default:
		r.kept, r.lost = nil, true
	}
	return n, err
}

// CancelRead makes a Read that is blocked, and every later one, fail at once (http1.ReadCanceler).
func (r *replay) CancelRead() { r.body.CancelRead() }

var _ io.Reader = (*replay)(nil)
