package proxy

import (
	"bytes"
	"strconv"
	"time"

	"haldane/router"
)

// cookieValue finds the first value of a cookie in one Cookie field (RFC 6265 section 4.2.1). It is lenient about what
// clients really send (missing spaces, quoted values) and only ever compares: nothing is decoded.
func cookieValue(line []byte, name string) (value []byte, ok bool) {
	for {
		line = trimLeft(line)
		// Most cookies are others, and their first bytes show it. No name has a "=", a ";" or a space.
		if len(line) > len(name) && len(name) > 0 && line[0] == name[0] && string(line[:len(name)]) == name {
			if value, ok = valueOf(line[len(name):]); ok {
				return value, true
			}
		}
		end := bytes.IndexByte(line, ';')
		if end < 0 {
			return nil, false
		}
		line = line[end+1:]
	}
}

// valueOf is the value in what follows a cookie's name; ok is false when that was not the whole name.
func valueOf(rest []byte) (value []byte, ok bool) {
	rest = trimLeft(rest)
	if len(rest) == 0 || rest[0] != '=' {
		return nil, false
	}
	if end := bytes.IndexByte(rest, ';'); end >= 0 {
		rest = rest[:end]
	}
	value = trimSpace(rest[1:])
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return value, true
}

// trimSpace takes optional white space (RFC 9110 section 5.6.3) off both ends.
func trimSpace(b []byte) []byte {
	b = trimLeft(b)
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// trimLeft takes it off the front.
func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// queryValue finds the first value of a parameter in a query, as sent.
func queryValue(query []byte, name string) (value []byte, ok bool) {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte{'&'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if string(key) == name && len(pair) > 0 {
			return value, true
		}
	}
	return nil, false
}

// cookieWriter writes the sticky cookie of a service.
type cookieWriter struct {
	prefix string // the name and "="
	suffix string // the attributes
}

// newCookieWriter fixes everything but the key. A lifetime of zero makes a cookie of the client's session. HttpOnly and
// SameSite=Lax (draft-ietf-httpbis-rfc6265bis): no script needs the cookie, and following a link must not lose the user's
// side.
func newCookieWriter(name string, lifetime time.Duration) cookieWriter {
	suffix := "; Path=/; HttpOnly; SameSite=Lax"
	if lifetime > 0 {
		suffix += "; Max-Age=" + strconv.FormatInt(int64(lifetime/time.Second), 10)
	}
	return cookieWriter{prefix: name + "=", suffix: suffix}
}

// append appends the cookie for a key.
func (c *cookieWriter) append(dst []byte, key uint64) []byte {
	dst = append(dst, c.prefix...)
	dst = router.AppendIssuedKey(dst, key)
	return append(dst, c.suffix...)
}
