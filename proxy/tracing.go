package proxy

import (
	"cmp"
	"math/rand/v2"
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/trace"
	"haldane/stats"
)

// The trace context of a request goes on as it came, unless the request is sampled: then it names the span of the try that is
// under way. Nothing but the decision is made for the others, and not even that where nothing is traced.

// Tracer takes the records of sampled requests. It must not block, and may drop them.
type Tracer interface{ Record(*trace.Request) }

// journal is the record of a sampled request as it is being written.
type journal struct {
	trace.Request
	before tries   // what had been done when the try under way began
	ended  failure // what the client was told
}

// beginTrace decides whether the request is sampled, and begins its record.
func (x *exchange) beginTrace() {
	sampler := x.snapshot.sampler
	if sampler == nil || x.server.tracer == nil {
		return
	}
	from, known := x.cameFrom()
	switch {
	case known && !sampler.Takes(&from, trace.Trust(x.conn.trusted)):
		return
	case !known && !sampler.Draws(rand.Uint64()):
		return
	case !known:
		from.Trace = trace.NewID([2]uint64{rand.Uint64(), rand.Uint64()})
	}
	j := &journal{Request: trace.Request{
		Own:    trace.Context{Trace: from.Trace, Span: trace.NewSpanID(rand.Uint64()), Flags: from.Flags | trace.Sampled},
		Parent: from.Span, Start: x.started, Method: string(x.request.Method), Scheme: "http", Host: string(x.authority), Path: string(x.view.path),
	}}
	if x.conn.secured {
		j.Scheme = "https"
	}
	if state, ok := x.view.Field("Tracestate"); ok && known {
		j.State = string(state)
	}
	x.journal = j
}

// cameFrom is the trace context that the client has sent. Several are as good as none (W3C Trace Context section 3.2.1).
func (x *exchange) cameFrom() (from trace.Context, known bool) {
	found := 0
	for i := range x.view.fields {
		f := &x.view.fields[i]
		if len(f.Name) == len("Traceparent") && http1.EqualFold(f.Name, "Traceparent") {
			from, known = trace.Parse(f.Value)
			found++
		}
	}
	if found != 1 || !known {
		return trace.Context{}, false
	}
	return from, true
}

// retraced says whether a field is left out because the request is sampled: its context is another one now, and the state of a
// trace that it does not belong to means nothing.
func (x *exchange) retraced(name []byte) bool {
	if x.journal == nil {
		return false
	}
	return http1.EqualFold(name, "Traceparent") || x.journal.Parent == trace.SpanID{} && http1.EqualFold(name, "Tracestate")
}

// appendTrace appends the context of the try that is under way.
func (x *exchange) appendTrace(out http1.Fields, v *variant) http1.Fields {
	name := x.server.words.traceParent
	if x.journal == nil || v.requestFields.removes(name) {
		return out
	}
	own := x.journal.Own
	own.Span = x.journal.Current().Span
	return append(out, http1.Field{Name: name, Value: own.Append(nil)})
}

// beginTry begins the record of a try. What has changed since the one before says why it is made.
func (x *exchange) beginTry() {
	j := x.journal
	if j == nil {
		return
	}
	now := time.Now()
	j.Over(now, "") // an answer that nobody wants
	cause := trace.Revoked
	switch {
	case len(j.Tries) == 0:
		cause = trace.First
	case x.tries.rescued && !j.before.rescued:
		cause = trace.Rescue
	case x.tries.retries > j.before.retries:
		cause = trace.Retry
	case x.tries.stale > j.before.stale:
		cause = trace.Stale
	}
	j.before = x.tries
	j.Tries = append(j.Tries, trace.Try{
		Span: trace.NewSpanID(rand.Uint64()), Cause: cause, Start: now, Variant: x.variant.name, Endpoint: x.endpoint.Name(),
	})
}

// answeredTry notes how the endpoint answered: with a status, or not at all.
func (x *exchange) answeredTry(err error) {
	j := x.journal
	if j == nil {
		return
	}
	if err != nil {
		j.Over(time.Now(), kindOf(err).String())
		return
	}
	if t := j.Current(); t != nil {
		t.Status = x.response.Status
	}
}

// endedFor notes how the exchange ends for its client; the first that is known stands.
func (x *exchange) endedFor(f failure) {
	if j := x.journal; j != nil && j.ended == none {
		j.ended = f
	}
}

// exemplify gives the latency that is booked an example of a trace.
func (x *exchange) exemplify(outcome stats.Outcome) {
	if x.journal != nil && x.status != 0 {
		x.tried.stats.Exemplify(outcome, stats.Example{Trace: x.journal.Own.Trace.String(), Latency: x.firstByte, Time: time.Now()})
	}
}

// endTrace completes the record and hands it over.
func (x *exchange) endTrace() {
	j := x.journal
	if j == nil {
		return
	}
	x.journal = nil
	j.End = time.Now()
	problem := ""
	if j.ended != none {
		problem = j.ended.word()
	}
	j.Over(j.End, problem)
	j.Error, j.Status, j.Rescued = problem, cmp.Or(x.answered, x.status), x.tries.rescued
	j.RequestID = string(x.requestID)
	if x.service != nil {
		j.Service = x.service.name
	}
	if x.variant != nil {
		x.decided(&j.Request)
	}
	x.server.tracer.Record(&j.Request)
}

// decided notes what was decided about the request.
func (x *exchange) decided(r *trace.Request) {
	v, split := cmp.Or(x.tried, x.variant), x.assignment.Split
	r.Variant, r.Reason, r.Rollout, r.Outcome = v.name, x.assignment.Reason.String(), split.Rollout, x.logged()
	switch {
	case split.Rollout == "":
	case v == &x.service.variants[split.Canary]:
		r.Role = "canary"
	case v == &x.service.variants[split.Stable]:
		r.Role = "stable"
	}
}

// word is the failure in a word, of a small set.
func (f failure) word() string {
	if f == clientGone {
		return "client gone"
	}
	return f.reply().what
}
