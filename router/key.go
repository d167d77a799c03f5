package router

import (
	"errors"

	"haldane/config"
)

// place is a kind of place in a request where a value can stand. The zero value is none.
type place uint8

const (
	placeHeader place = iota + 1
	placeCookie
	placeQuery
	placeClient
)

// source is one place in a request.
type source struct {
	place place
	name  string
}

var errNoSource = errors.New("it is not said where to read the value")

// newSource compiles a key. config has checked that exactly one part is given.
func newSource(k config.Key) (source, error) {
	switch {
	case k.Header != "":
		return source{placeHeader, k.Header}, nil
	case k.Cookie != "":
		return source{placeCookie, k.Cookie}, nil
	case k.Query != "":
		return source{placeQuery, k.Query}, nil
	case k.ClientAddress:
		return source{place: placeClient}, nil
	}
	return source{}, errNoSource
}

// addressSize holds the text of any address without a zone.
const addressSize = 48

// read finds the value. A client's address is written into buf, as text, without its zone; buf is untouched otherwise.
func (s source) read(r Request, buf *[addressSize]byte) (value []byte, ok bool) {
	switch s.place {
	case placeHeader:
		return r.Field(s.name)
	case placeCookie:
		return r.Cookie(s.name)
	case placeQuery:
		return r.Query(s.name)
	case placeClient:
		addr := r.ClientAddr()
		if !addr.IsValid() {
			return nil, false
		}
		return addr.WithZone("").AppendTo(buf[:0]), true
	}
	return nil, false
}

// AppendIssuedKey appends the text of a key that Haldane issues: 16 lower-case hexadecimal digits. The cookie must carry
// exactly this text, because the first draw was made with it and every later one will read it back.
func AppendIssuedKey(dst []byte, key uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[key>>shift&0xf])
	}
	return dst
}

// sticky is the user key of a service. The zero value reads none.
type sticky struct {
	source source
	issue  bool
}

// ask is one request on its way through the assignment. It is passed by value, so that it never leaves the stack.
type ask struct {
	Request
	sticky *sticky
	random uint64
}

// key reads the value of a source that is a user key: an empty one is none. Where the request has no value, but will be
// given the sticky cookie, that cookie's value counts already: the user is to be treated now as with the next request.
func (a ask) key(s source, buf *[addressSize]byte) (key []byte, issued bool) {
	key, _ = s.read(a.Request, buf)
	if len(key) == 0 && a.sticky.issue && s == a.sticky.source {
		return AppendIssuedKey(buf[:0], a.random), true
	}
	return key, false
}
