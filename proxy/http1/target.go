package http1

import (
	"bytes"
	"net/netip"
)

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

// The forms of a request target.
const (
	// OriginForm is an absolute path with an optional query.
	OriginForm TargetForm = iota + 1
	// AbsoluteForm is a whole URI, as sent to a forward proxy.
	AbsoluteForm
	// AuthorityForm is host:port, for CONNECT alone.
	AuthorityForm
	// AsteriskForm is "*", for OPTIONS alone.
	AsteriskForm
)

// Target is a request target taken apart.
type Target struct {
	// Form is the form it came in.
	Form TargetForm
	// Authority is host[:port] of the absolute-form and the authority-form. It replaces the Host field (RFC 9112 section
	// 3.2.2).
	Authority []byte
	// Origin is the target in origin-form (or "*"), which is what goes to an endpoint. It aliases the input wherever the
	// input has it. Nil for the authority-form.
	Origin []byte
}

// ParseTarget takes a request target apart. It refuses control characters, spaces, fragments, user information, schemes
// other than http and https, and a form that the method does not allow; everything else is kept byte for byte.
func ParseTarget(method, target []byte) (Target, error) {
	if len(target) == 0 {
		return Target{}, malformed("empty request target")
	}
	for _, c := range target {
		if c <= ' ' || c == 0x7f || c == '#' {
			return Target{}, malformed("forbidden character in the request target")
		}
	}
	switch {
	case string(method) == "CONNECT":
		if !ValidHost(target) || bytes.IndexByte(target, ':') < 0 {
			return Target{}, malformed("malformed request target")
		}
		return Target{Form: AuthorityForm, Authority: target}, nil
	case target[0] == '/':
		return Target{Form: OriginForm, Origin: target}, nil
	case len(target) == 1 && target[0] == '*':
		if string(method) != "OPTIONS" {
			return Target{}, malformed("request target * without OPTIONS")
		}
		return Target{Form: AsteriskForm, Origin: target}, nil
	}
	return parseAbsolute(method, target)
}

func parseAbsolute(method, target []byte) (Target, error) {
	rest, ok := cutScheme(target)
	if !ok {
		return Target{}, malformed("malformed request target")
	}
	t := Target{Form: AbsoluteForm, Authority: rest}
	if i := bytes.IndexAny(rest, "/?"); i >= 0 {
		t.Authority, t.Origin = rest[:i], rest[i:]
	}
	// ValidHost refuses user information: RFC 9110 section 4.2.4 has a recipient treat it as an error.
	if len(t.Authority) == 0 || !ValidHost(t.Authority) {
		return Target{}, malformed("malformed authority in the request target")
	}
	switch {
	case len(t.Origin) == 0 && string(method) == "OPTIONS":
		t.Origin = []byte("*") // RFC 9112 section 3.2.4
	case len(t.Origin) == 0 || t.Origin[0] == '?':
		t.Origin = append([]byte("/"), t.Origin...)
	}
	return t, nil
}

func cutScheme(target []byte) (rest []byte, ok bool) {
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(target) >= len(scheme) && EqualFold(target[:len(scheme)], scheme) {
			return target[len(scheme):], true
		}
	}
	return nil, false
}

// RequestHost returns the Host of a request (RFC 9112 section 3.2): exactly one valid field in HTTP/1.1, at most one in
// HTTP/1.0, where the result may be empty. minor is the minor version of the request.
func RequestHost(fields Fields, minor int) ([]byte, error) {
	switch n := fields.Count("Host"); {
	case n > 1:
		return nil, malformed("more than one Host")
	case n == 0 && minor > 0:
		return nil, malformed("missing Host")
	}
	host, _ := fields.Get("Host")
	if !ValidHost(host) {
		return nil, malformed("malformed Host")
	}
	return host, nil
}

// ValidHost reports whether host is uri-host [ ":" port ] (RFC 9110 section 7.2, RFC 3986 section 3.2.2). Empty is valid
// (RFC 9112 section 3.2); user information, IPv6 zones and future address forms are not.
func ValidHost(host []byte) bool {
	name, port := host, []byte(nil)
	if len(host) > 0 && host[0] == '[' {
		end := bytes.IndexByte(host, ']')
		if end < 0 || !validIPv6(host[1:end]) {
			return false
		}
		if port = host[end+1:]; len(port) == 0 {
			return true
		}
		return port[0] == ':' && validPort(port[1:])
	}
	if i := bytes.IndexByte(host, ':'); i >= 0 {
		name, port = host[:i], host[i+1:]
		if len(name) == 0 {
			return false
		}
	}
	return validRegName(name) && validPort(port)
}

func validIPv6(b []byte) bool {
	if len(b) > 45 || bytes.IndexByte(b, '%') >= 0 {
		return false
	}
	addr, err := netip.ParseAddr(string(b))
	return err == nil && addr.Is6()
}

func validPort(b []byte) bool {
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return false
		}
	}
	return true
}

func validRegName(b []byte) bool {
	if len(b) > 255 {
		return false
	}
	for i := 0; i < len(b); i++ {
		if b[i] == '%' {
			if i+2 >= len(b) || unhex(b[i+1]) > 15 || unhex(b[i+2]) > 15 {
				return false
			}
			i += 2
			continue
		}
		if hostChars[b[i]] == ' ' {
			return false
		}
	}
	return true
}
