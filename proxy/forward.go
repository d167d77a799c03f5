package proxy

import (
	"errors"
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// errSwitched is what is wrong with a 101 that nobody has asked for.
var errSwitched = errors.New("a protocol that was not offered")

// launch lets the request be ended from outside from here on.
func (x *exchange) launch() failure {
	x.conn.abort.Reset()
	x.conn.watched.Store(int64(x.started.Sub(x.server.started)))
	if x.conn.gone.Load() {
		return clientGone // cut just before there was something to abort
	}
	return none
}

// forward sends the request up and waits for the head of the response, again and elsewhere if it must and may.
func (x *exchange) forward() failure {
	for {
		if x.endpoint == nil {
			return noEndpoint
		}
		err := x.roundTrip()
		if err == nil {
			x.seen(x.response.Status, x.response.At)
			x.measure()
			if x.response.Status == 101 && !x.agreed() {
				x.endpoint.Report(&upstream.Error{Kind: upstream.KindFraming, Op: "switch protocols", Err: errSwitched}, 0)
				return upstreamMalformed
			}
			return none
		}
		f := x.upstreamFailure(err)
		if !x.again(err, f) {
			return f
		}
	}
}

// roundTrip writes the request to the picked endpoint.
func (x *exchange) roundTrip() (err error) {
	x.request.Target = x.target // another try, or another variant, begins with what was asked for
	x.request.Target = x.rewrite(x.variant)
	x.beginTry()
	x.request.Fields = x.requestFields(x.variant)
	if x.request.Length == http1.LengthChunked {
		x.request.Trailers = x.kept.requestTrailers
	}
	options := upstream.Exchange{
		Gate: (*gate)(x), Interim: x.kept.relayInterim, Abort: &x.conn.abort,
		Now: x.now, Deadline: x.deadline(), HeadBy: x.headBy(), Fresh: x.tries.fresh, Upgrade: len(x.upgrade) > 0,
	}
	x.tries.fresh, x.now = false, time.Time{}
	x.response, err = x.endpoint.Transport().RoundTrip(&x.request, options)
	if err != nil {
		x.endpoint.Report(err, 0)
	}
	x.answeredTry(err)
	return err
}

// requestTrailers gives the trailer fields of the request, which are there once its body has been read.
func (x *exchange) requestTrailers() http1.Fields {
	block := x.in.trailers.TrailerHeader()
	fields, err := http1.ParseFields(block, x.kept.trailers[:0], x.snapshot.limits.fields)
	if err != nil {
		// The reader has already refused what is not a field; what it let through and http1 does not is not sent on.
		return nil
	}
	x.kept.trailers = fields
	return fields
}

// upstreamFailure is what the client is told about a failed exchange with an endpoint. When the request's body failed, it is
// the client's own doing.
func (x *exchange) upstreamFailure(err error) failure {
	if f := failure(x.body.failed.Load()); f != none {
		return f
	}
	switch kindOf(err) {
	case upstream.KindConnect:
		return connectFailed
	case upstream.KindTimeout:
		return upstreamTimeout
	case upstream.KindTruncated:
		return upstreamTruncated
	case upstream.KindFraming:
		return upstreamMalformed
	case upstream.KindFull:
		return upstreamFull
	case upstream.KindRequestBody, upstream.KindAborted:
		return clientGone
	}
	return upstreamReset
}

// kindOf is the kind of an upstream error.
func kindOf(err error) upstream.Kind {
	var failed *upstream.Error
	if errors.As(err, &failed) {
		return failed.Kind
	}
	return 0
}
