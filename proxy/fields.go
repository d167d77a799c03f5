package proxy

import (
	"fmt"
	"maps"
	"slices"

	"haldane/config"
	"haldane/proxy/http1"
)

// fieldProgram is the field changes of a variant, made ready: remove, then set, then add.
type fieldProgram struct {
	removed []string     // removed or about to be set
	added   http1.Fields // set, then added, each in the order of names
}

// newFieldProgram checks and compiles field changes.
func newFieldProgram(changes config.FieldChanges) (fieldProgram, error) {
	var p fieldProgram
	p.removed = append(p.removed, changes.Remove...)
	for _, name := range slices.Sorted(maps.Keys(changes.Set)) {
		p.removed = append(p.removed, name)
		p.added = append(p.added, http1.Field{Name: []byte(name), Value: []byte(changes.Set[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(changes.Add)) {
		p.added = append(p.added, http1.Field{Name: []byte(name), Value: []byte(changes.Add[name])})
	}
	for _, f := range p.added {
		if reserved(f.Name) {
			return fieldProgram{}, fmt.Errorf("field %s belongs to the connection and cannot be set", f.Name)
		}
		if !http1.ValidToken(f.Name) || !http1.ValidValue(f.Value) {
			return fieldProgram{}, fmt.Errorf("field %q: not a valid name and value", f.Name)
		}
	}
	return p, nil
}

// removes says whether the program takes fields of this name away.
func (p *fieldProgram) removes(name []byte) bool {
	for _, removed := range p.removed {
		if http1.EqualFold(name, removed) {
			return true
		}
	}
	return false
}

// reserved holds for the fields that frame a message or belong to one connection.
func reserved(name []byte) bool {
	for _, word := range []string{
		"connection", "content-length", "host", "transfer-encoding", "upgrade", "keep-alive", "te",
		"trailer", "proxy-connection",
	} {
		if http1.EqualFold(name, word) {
			return true
		}
	}
	return false
}

// words are the names and values that Haldane itself writes, made once.
type words struct {
	host, forwardedFor, forwardedHost, forwardedProto http1.Field // of requests, values filled in
	forwardedProtoSecured, via, via10                 http1.Field
	date, setCookie                                   []byte
	close, keepAlive                                  http1.Field
	refused                                           http1.Field
	upgrade, protocol                                 http1.Field
	traceParent                                       []byte
}

func newWords() words {
	field := func(name, value string) http1.Field { return http1.Field{Name: []byte(name), Value: []byte(value)} }
	return words{
		host:           field("Host", ""),
		forwardedFor:   field("X-Forwarded-For", ""),
		forwardedHost:  field("X-Forwarded-Host", ""),
		forwardedProto: field("X-Forwarded-Proto", "http"),

		forwardedProtoSecured: field("X-Forwarded-Proto", "https"),

		via:       field("Via", "1.1 haldane"), // the version in which the message was received (RFC 9110 section 7.6.3)
		via10:     field("Via", "1.0 haldane"),
		date:      []byte("Date"),
		setCookie: []byte("Set-Cookie"),
		close:     field("Connection", "close"),
		keepAlive: field("Connection", "keep-alive"),
		upgrade:   field("Connection", "Upgrade"),
		protocol:  field("Upgrade", ""),
		refused:   field("Haldane-Refused", "rolled back"),

		traceParent: []byte("traceparent"), // in lower case (W3C Trace Context section 3.2.1)
	}
}

// with is a field of this name with another value.
func with(f http1.Field, value []byte) http1.Field { return http1.Field{Name: f.Name, Value: value} }

// requestFields makes the fields that the endpoint gets: the client's in their spelling and order, without what belongs
// to its connection, and with ours. The result is only valid until the next call.
func (x *exchange) requestFields(v *variant) http1.Fields {
	w := &x.server.words
	x.kept.endToEnd = http1.RemoveHopByHop(x.view.fields, x.kept.endToEnd[:0])
	out := append(x.kept.sent[:0], with(w.host, x.hostFor(v)))
	x.requestID = nil
	for _, f := range x.kept.endToEnd {
		if x.dropped(f.Name) || v.requestFields.removes(f.Name) || !x.keepsRequestID(f) {
			continue
		}
		out = append(out, f)
	}
	via := w.via
	if x.version10 {
		via = w.via10
	}
	out = append(x.appendForwarded(out), via)
	if x.service.requestIDField != nil && x.requestID == nil {
		x.requestID = x.makeRequestID()
		out = append(out, http1.Field{Name: x.service.requestIDField, Value: x.requestID})
	}
	out = append(x.appendTrace(out, v), v.requestFields.added...)
	if len(x.upgrade) > 0 {
		out = x.appendUpgrade(out)
	}
	x.kept.sent = out
	return out
}

// keepsRequestID says whether a field goes on as far as the request id is concerned: of those, only the first one that is
// sane does.
func (x *exchange) keepsRequestID(f http1.Field) bool {
	if x.service.requestIDField == nil || !http1.EqualFold(f.Name, x.service.requestIDField) {
		return true
	}
	if x.requestID != nil || !saneRequestID(f.Value) {
		return false
	}
	x.requestID = f.Value
	return true
}

// hostFor is the Host that the endpoint gets. A client of HTTP/1.0 need not have said one.
func (x *exchange) hostFor(v *variant) []byte {
	switch {
	case len(v.host) > 0:
		return v.host
	case len(x.authority) > 0:
		return x.authority
	}
	return x.endpoint.Authority()
}
