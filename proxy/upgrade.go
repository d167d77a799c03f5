package proxy

import (
	"bytes"

	"haldane/proxy/http1"
)

// guardUpgrade notes which protocols the client wants to switch to (RFC 9110 section 7.8). A request with a body or of
// HTTP/1.0 is served as if it had not asked, as the RFC allows and demands.
//
// What is not passed on are protocols that would carry HTTP past this guard and past every rule about routes: HTTP itself
// in another version ("h2c", RFC 9113 section 3.1) and TLS (RFC 2817).
func (x *exchange) guardUpgrade() {
	if _, asked := x.view.Field("Upgrade"); !asked {
		return
	}
	if x.version10 || x.request.Length != 0 || !x.view.fields.HasToken("Connection", "upgrade") {
		return
	}
	x.upgrade, _ = protocols(x.view.fields)
}

// protocols are the protocols that the Upgrade fields list, as one list without those that nobody may switch to, and whether
// there were any of the latter.
func protocols(fields http1.Fields) (list []byte, barred bool) {
	for _, f := range fields {
		if !http1.EqualFold(f.Name, "Upgrade") {
			continue
		}
		for element := range bytes.SplitSeq(f.Value, []byte{','}) {
			element = bytes.Trim(element, " \t")
			switch {
			case len(element) == 0: // allowed (RFC 9110 section 5.6.1.2)
			case !switchable(element):
				barred = true
			case len(list) > 0:
				list = append(append(list, ", "...), element...)
			default:
				list = append(list, element...)
			}
		}
	}
	return list, barred
}

// switchable says whether a client may switch to this protocol, which is a name and, after a slash, perhaps a version.
func switchable(protocol []byte) bool {
	name, version, versioned := bytes.Cut(protocol, []byte{'/'})
	if !http1.ValidToken(name) || versioned && !http1.ValidToken(version) {
		return false
	}
	for _, barred := range []string{"h2c", "h2", "h3", "http", "tls"} {
		if http1.EqualFold(name, barred) {
			return false
		}
	}
	return true
}

// agreed says whether the endpoint has switched to protocols that were offered to it, and to no other (RFC 9110 section
// 7.8).
func (x *exchange) agreed() bool {
	chosen, barred := protocols(x.response.Fields)
	offered := http1.Fields{{Name: x.server.words.protocol.Name, Value: x.upgrade}}
	for element := range bytes.SplitSeq(chosen, []byte(", ")) {
		if barred || !offered.HasToken("Upgrade", string(element)) {
			return false
		}
	}
	x.upgrade = chosen
	return true
}

// appendUpgrade appends the fields that switch protocols.
func (x *exchange) appendUpgrade(out http1.Fields) http1.Fields {
	w := &x.server.words
	return append(out, w.upgrade, with(w.protocol, x.upgrade))
}
