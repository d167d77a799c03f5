package proxy

import (
	"bytes"
	"net/netip"

	"haldane/proxy/http1"
)

// view is the request as the router sees it. Its bytes alias the request and are valid while the exchange lasts.
type view struct {
	method []byte
	host   []byte
	path   []byte // as sent, without the query
	query  []byte // as sent, without the question mark
	fields http1.Fields
	names  http1.Names // of the fields
	client netip.Addr
}

// Method is the request method as sent.
func (v *view) Method() []byte { return v.method }

// Host is the host asked for, in lower case, without the port.
func (v *view) Host() []byte { return v.host }

// Path is the path as sent, without the query.
func (v *view) Path() []byte { return v.path }

// ClientAddr is the client's address.
func (v *view) ClientAddr() netip.Addr { return v.client }

// Field is the first value of a field.
func (v *view) Field(name string) ([]byte, bool) {
	if !v.names.May(name) {
		return nil, false
	}
	return v.fields.Get(name)
}

// setFields takes the fields of the request.
func (v *view) setFields(fields http1.Fields) { v.fields, v.names = fields, fields.Names() }

// Cookie is the first value of a cookie, over all Cookie fields.
func (v *view) Cookie(name string) ([]byte, bool) {
	if !v.names.May("Cookie") {
		return nil, false
	}
	for i := range v.fields {
		f := &v.fields[i]
		if len(f.Name) != len("Cookie") || string(f.Name) != "Cookie" && !http1.EqualFold(f.Name, "Cookie") { // nearly all spell it so
			continue
		}
		if value, ok := cookieValue(f.Value, name); ok {
			return value, true
		}
	}
	return nil, false
}

// Query is the first value of a query parameter, as sent.
func (v *view) Query(name string) ([]byte, bool) { return queryValue(v.query, name) }

// setTarget takes path and query from a target in origin-form.
func (v *view) setTarget(target []byte) {
	v.path, v.query, _ = bytes.Cut(target, []byte{'?'})
}

// appendHost appends the host of an authority as the router compares it: in lower case, without the port, and without the
// dot that ends a fully qualified name.
func appendHost(dst, authority []byte) []byte {
	host := authority
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		host = host[:i]
	}
	if n := len(host); n > 1 && host[n-1] == '.' {
		host = host[:n-1]
	}
	for _, c := range host {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
