package load

import (
	"bytes"
	"errors"
	"strconv"
)

// answer is what is read of the head of an answer.
type answer struct {
	status int
	length int64  // of the body
	last   bool   // the connection is closed after it
	cookie []byte // the first that it sets, as name=value
	origin string // which variant answered
}

var (
	errHead   = errors.New("not the head of an answer")
	errLength = errors.New("an answer without a stated length")
)

// parse reads a whole head, up to and with the empty line.
func parse(head []byte) (answer, error) {
	a := answer{length: -1}
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return a, errHead
	}
	for _, c := range line[9:12] {
		a.status = 10*a.status + int(c-'0')
	}
	for len(rest) > 2 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		at := bytes.IndexByte(line, ':')
		if at < 0 {
			return a, errHead
		}
		if err := a.field(line[:at], bytes.TrimSpace(line[at+1:])); err != nil {
			return a, err
		}
	}
	if a.status == 101 || a.status == 204 || a.status == 304 {
		a.length = 0
	}
	if a.length < 0 {
		return a, errLength
	}
	return a, nil
}

// field takes one field in; the length of the name sorts out most of them.
func (a *answer) field(name, value []byte) error {
	is := func(wanted string) bool { return bytes.EqualFold(name, []byte(wanted)) }
	switch len(name) {
	case len("X-Origin"):
		if is("X-Origin") {
			a.origin = variant(value)
		}
	case len("Connection"):
		if is("Connection") && bytes.EqualFold(value, []byte("close")) {
			a.last = true
		}
		if is("Set-Cookie") && a.cookie == nil {
			pair, _, _ := bytes.Cut(value, []byte(";"))
			a.cookie = pair
		}
	case len("Content-Length"):
		if is("Content-Length") {
			n, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || n < 0 {
				return errLength
			}
			a.length = n
		}
	}
	return nil
}

// variant is a name that stays when the buffer is used again.
func variant(value []byte) string {
	switch string(value) {
	case "v1":
		return "v1"
	case "v2":
		return "v2"
	}
	return string(value)
}
