package proxy

import (
	"io"

	"haldane/proxy/http1"
)

// answer sends the endpoint's response on to the client: what is read is written, with no more waiting in between than is
// needed to put a head and a body that are both there into one packet.
func (x *exchange) answer() failure {
	if x.response.Status == 101 {
		return x.openTunnel()
	}
	w := &x.writer
	w.open(x.conn, x.response.Length)
	defer w.close()
	w.now = x.response.At
	x.appendHead()
	x.response.DropHead()
	for {
		if (!x.response.Ready() || w.full()) && !w.flush() {
			return x.lostClient()
		}
		n, err := x.response.Read(w.space())
		w.commit(n)
		x.bytesOut += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			x.endpoint.Report(err, 0)
			return x.cutShort(x.bodyFailure(err))
		}
	}
	x.endpoint.Report(nil, x.status)
	x.conclude(none)
	if w.framing == http1.LengthChunked {
		w.out = http1.AppendLastChunk(w.out, x.response.Trailers())
	}
	if x.body.whole.Load() {
		// Before the client has its last byte: its next request finds the connection free and the endpoint not in use.
		x.letGo()
	}
	if !w.flush() {
		x.closing = true
	}
	if w.framing == http1.LengthUntilClose {
		x.closing = true
	}
	return none
}

// appendHead decides how the response is framed for this client, and writes its head into the buffer.
func (x *exchange) appendHead() {
	response, w := x.response, &x.writer
	bodyless := string(x.request.Method) == "HEAD" || response.Status == 304 || response.Status == 204
	length := response.Length
	switch {
	case bodyless && response.ContentLength >= 0:
		length = response.ContentLength
	case bodyless:
		length = http1.LengthUnstated
	case length >= 0:
	case x.version10:
		length = http1.LengthUntilClose // no chunks in HTTP/1.0 (RFC 9112 section 7)
		x.closing = true
	default:
		length = http1.LengthChunked
	}
	if !x.body.whole.Load() || x.server.draining.Load() {
		// What is left of the request's body will not be read, so that the next request could not be found.
		x.endConnection()
	}
	w.framing = length
	if bodyless {
		w.framing = http1.LengthUnstated
	}
	x.kept.endToEnd = http1.RemoveHopByHop(response.Fields, x.kept.endToEnd[:0])
	w.out = http1.AppendResponseHead(w.out, &http1.ResponseHead{
		Status: response.Status,
		Reason: response.Reason,
		Fields: x.keptFields(),
		More:   x.ownFields(),
		Length: length,
	})
}

// keptFields are the endpoint's fields that the client gets, in their spelling and order.
func (x *exchange) keptFields() http1.Fields {
	program, measures := &x.variant.responseFields, x.service.stats.Measures()
	if len(program.removed) == 0 && len(x.service.taken) == 0 && measures == nil {
		return x.kept.endToEnd
	}
	kept := x.kept.endToEnd[:0]
	for _, f := range x.kept.endToEnd {
		if !program.removes(f.Name) && !x.takes(f.Name, measures) {
			kept = append(kept, f)
		}
	}
	return kept
}

// ownFields are the fields that Haldane puts behind the endpoint's.
func (x *exchange) ownFields() http1.Fields {
	w := &x.server.words
	via := w.via
	if x.response.Minor == 0 {
		via = w.via10
	}
	out := append(x.kept.sent[:0], via)
	if _, dated := x.kept.endToEnd.Get("Date"); !dated {
		out = append(out, http1.Field{Name: w.date, Value: x.server.date(x.response.At)})
	}
	out = x.appendNotes(out)
	out = append(out, x.variant.responseFields.added...)
	x.kept.sent = x.appendConnection(out)
	return x.kept.sent
}

// appendNotes appends what every response after the assignment carries, whoever made it: the variant, the request id, the
// sticky cookie, and word of a refused pin.
func (x *exchange) appendNotes(out http1.Fields) http1.Fields {
	w := &x.server.words
	if x.service == nil || x.variant == nil {
		return out
	}
	if x.service.variantField != nil {
		out = append(out, http1.Field{Name: x.service.variantField, Value: x.variant.nameField})
	}
	if x.requestID != nil {
		out = append(out, http1.Field{Name: x.service.requestIDField, Value: x.requestID})
	}
	if x.assignment.Issue {
		x.kept.cookie = x.service.cookie.append(x.kept.cookie[:0], x.assignment.IssuedKey)
		out = append(out, http1.Field{Name: w.setCookie, Value: x.kept.cookie})
	}
	if x.refused {
		out = append(out, w.refused)
	}
	return out
}

// appendConnection tells the client what becomes of the connection. HTTP/1.0 needs to be told that it stays open.
func (x *exchange) appendConnection(out http1.Fields) http1.Fields {
	w := &x.server.words
	switch {
	case x.closing:
		return append(out, w.close)
	case x.version10:
		return append(out, w.keepAlive)
	}
	return out
}

// bodyFailure is upstreamFailure for an answer that had begun: however its connection ended, it was cut short.
func (x *exchange) bodyFailure(err error) failure {
	if f := x.upstreamFailure(err); f != upstreamReset {
		return f
	}
	return upstreamTruncated
}

// cutShort ends a response whose body failed. As long as nothing of it is on its way, the client gets a proper answer;
// afterwards only the end of the connection tells it.
func (x *exchange) cutShort(f failure) failure {
	if !x.writer.begun {
		return f
	}
	x.conclude(f)
	x.writer.truncate()
	x.closing = true
	return none
}

// lostClient ends a response that nobody reads any more.
func (x *exchange) lostClient() failure {
	x.conclude(clientGone)
	x.closing = true
	x.conn.cut()
	return none
}

// relayInterim passes an interim response on (RFC 9110 section 15.2). A 100 (Continue) is not: Haldane has said that itself.
// HTTP/1.0 knows no interim responses.
func (x *exchange) relayInterim(response *http1.Response) {
	if x.version10 || response.Status == 100 {
		return
	}
	x.tries.relayed = true
	x.kept.endToEnd = http1.RemoveHopByHop(response.Fields, x.kept.endToEnd[:0])
	x.kept.interim = http1.AppendResponseHead(x.kept.interim[:0], &http1.ResponseHead{
		Status: response.Status, Reason: response.Reason, Fields: x.keptFields(),
	})
	_ = x.conn.sendInterim(x.kept.interim) // if the client is gone, the final response will find out
}
