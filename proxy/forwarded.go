package proxy

import (
	"haldane/proxy/http1"
)

// What is said in front of Haldane about a client is believed when a trusted proxy says it, and replaced when anybody else
// does. The field Forwarded (RFC 7239) is taken off in both cases: the X-Forwarded fields say the same.

// identify finds out for whom the request was made. It allocates nothing for clients with IPv4 addresses, and nothing at all
// where nobody is trusted.
func (x *exchange) identify() {
	if !x.conn.trusted {
		return
	}
	i := len(x.view.fields)
	x.view.client = x.server.trustedProxies.ForwardedFor(x.conn.client, func() ([]byte, bool) {
		for i--; i >= 0; i-- {
			if f := &x.view.fields[i]; http1.EqualFold(f.Name, "X-Forwarded-For") {
				return f.Value, true
			}
		}
		return nil, false
	})
}

// appendForwarded appends what the endpoint is told about the way of the request so far.
func (x *exchange) appendForwarded(out http1.Fields) http1.Fields {
	w := &x.server.words
	proto := w.forwardedProto
	if x.conn.secured {
		proto = w.forwardedProtoSecured
	}
	if !x.conn.trusted {
		return append(out, with(w.forwardedFor, x.conn.text), proto, with(w.forwardedHost, x.authority))
	}
	out = append(out, with(w.forwardedFor, x.chain()))
	if _, said := x.kept.endToEnd.Get("X-Forwarded-Proto"); !said {
		out = append(out, proto)
	}
	if _, said := x.kept.endToEnd.Get("X-Forwarded-Host"); !said {
		out = append(out, with(w.forwardedHost, x.authority))
	}
	return out
}

// chain is what the trusted proxy said, and then the proxy itself.
func (x *exchange) chain() []byte {
	chain := x.kept.chain[:0]
	for _, f := range x.kept.endToEnd {
		if len(f.Value) > 0 && http1.EqualFold(f.Name, "X-Forwarded-For") {
			chain = append(append(chain, f.Value...), ", "...)
		}
	}
	x.kept.chain = append(chain, x.conn.text...)
	return x.kept.chain
}

// dropped holds for the fields that are written anew, or that say about the client what it is not trusted to say.
func (x *exchange) dropped(name []byte) bool {
	switch len(name) {
	case len("Host"):
		return http1.EqualFold(name, "Host")
	case len("Expect"):
		return http1.EqualFold(name, "Expect")
	case len("Traceparent"), len("Tracestate"):
		return x.retraced(name)
	case len("Forwarded"):
		return http1.EqualFold(name, "Forwarded")
	case len("X-Forwarded-For"):
		return http1.EqualFold(name, "X-Forwarded-For")
	case len("X-Forwarded-Host"):
		return !x.conn.trusted && http1.EqualFold(name, "X-Forwarded-Host")
	case len("X-Forwarded-Proto"):
		return !x.conn.trusted && http1.EqualFold(name, "X-Forwarded-Proto")
	}
	return false
}
