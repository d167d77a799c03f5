package rawhttp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The oracle's rules are those for senders: what a proxy sends has no excuse, where a recipient may be lenient.

// errUnfinished is a message that goes on where the bytes end.
var errUnfinished = errors.New("the message is not finished")

// violation is a breach of the grammar.
type violation struct{ what string }

// Error says what is wrong.
func (v violation) Error() string { return v.what }

func violationf(format string, args ...any) error { return violation{fmt.Sprintf(format, args...)} }

// field is one field line; the name is in lower case.
type field struct{ name, value string }

// fields are all field lines of a section, in their order.
type fields []field

// values are the values of all lines with a name.
func (f fields) values(name string) []string {
	var all []string
	for _, line := range f {
		if line.name == name {
			all = append(all, line.value)
		}
	}
	return all
}

// message is what requests and responses have in common.
type message struct {
	start    string
	fields   fields
	body     []byte // what there is of it, when the message is not whole
	trailers fields
	whole    bool
}

// cursor walks over bytes.
type cursor struct {
	data []byte
	at   int
}

// rest are the bytes that were not read.
func (c *cursor) rest() []byte { return c.data[c.at:] }

// line reads up to CRLF. RFC 9112 section 2.2: a sender generates no bare CR, and a line ends in CRLF.
func (c *cursor) line() (string, error) {
	end := bytes.IndexByte(c.rest(), '\n')
	if end < 0 {
		if stray := bytes.IndexByte(c.rest(), '\r'); stray >= 0 && stray != len(c.rest())-1 {
			return "", violationf("bare CR in %q", shorten(c.rest()))
		}
		return "", errUnfinished
	}
	line := c.rest()[:end]
	c.at += end + 1
	if len(line) == 0 || line[len(line)-1] != '\r' {
		return "", violationf("bare LF after %q", shorten(line))
	}
	line = line[:len(line)-1]
	if bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
		return "", violationf("bare CR or NUL in %q", shorten(line))
	}
	return string(line), nil
}

// section reads field lines and the empty line behind them.
func (c *cursor) section() (fields, error) {
	var all fields
	for {
		line, err := c.line()
		if err != nil || line == "" {
			return all, err
		}
		one, err := parseField(line)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
}

// parseField takes one field line apart (RFC 9112 section 5, RFC 9110 section 5.5).
func parseField(line string) (field, error) {
	name, value, found := strings.Cut(line, ":")
	if !found || !isToken(name) {
		return field{}, violationf("field line %q", shorten([]byte(line)))
	}
	for _, b := range []byte(value) {
		if b < 0x20 && b != '\t' || b == 0x7f {
			return field{}, violationf("control byte in field line %q", shorten([]byte(line)))
		}
	}
	return field{strings.ToLower(name), strings.Trim(value, " \t")}, nil
}

// isToken is RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for _, b := range []byte(s) {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(b)) {
			return false
		}
	}
	return s != ""
}

// Ways in which a body is framed, besides a length.
const (
	unframed = -2
	chunked  = -1
)

// framing is how the body is framed (RFC 9112 section 6): one length, or chunks, or nothing, and never two statements.
func (m *message) framing() (int, error) {
	lengths, codings := m.fields.values("content-length"), m.fields.values("transfer-encoding")
	switch {
	case len(lengths)+len(codings) > 1:
		return 0, violationf("several framing fields: Content-Length %q, Transfer-Encoding %q", lengths, codings)
	case len(codings) == 1:
		if !strings.EqualFold(codings[0], "chunked") {
			return 0, violationf("Transfer-Encoding %q", codings[0])
		}
		return chunked, nil
	case len(lengths) == 1:
		n := 0
		for _, b := range []byte(lengths[0]) {
			if b < '0' || b > '9' || n > 1<<52 {
				return 0, violationf("Content-Length %q", lengths[0])
			}
			n = 10*n + int(b-'0')
		}
		if lengths[0] == "" {
			return 0, violationf("empty Content-Length")
		}
		return n, nil
	}
	return unframed, nil
}

// take reads a body of a known framing.
func (m *message) take(c *cursor, framing int) error {
	if framing == chunked {
		return m.takeChunks(c)
	}
	got := min(framing, len(c.rest()))
	m.body = c.rest()[:got]
	c.at += got
	if got < framing {
		return errUnfinished
	}
	return nil
}

// takeChunks reads a chunked body and its trailers (RFC 9112 section 7.1).
func (m *message) takeChunks(c *cursor) error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := chunkSize(line)
		if err != nil {
			return err
		}
		if size == 0 {
			m.trailers, err = c.section()
			return err
		}
		got := min(size, len(c.rest()))
		m.body = append(m.body, c.rest()[:got]...)
		c.at += got
		if got < size {
			return errUnfinished
		}
		switch end := c.rest(); {
		case bytes.HasPrefix(end, []byte("\r\n")):
			c.at += 2
		case bytes.HasPrefix([]byte("\r\n"), end):
			return errUnfinished
		default:
			return violationf("a chunk is followed by %q", shorten(end))
		}
	}
}

// chunkSize reads the line before a chunk: 1*HEXDIG and extensions, none of which a proxy has a reason to send.
func chunkSize(line string) (int, error) {
	n := 0
	for _, b := range []byte(line) {
		digit := strings.IndexByte("0123456789abcdef", b|0x20)
		if b < '0' || digit < 0 || n > 1<<48 {
			return 0, violationf("chunk size %q", shorten([]byte(line)))
		}
		n = n<<4 + digit
	}
	if line == "" {
		return 0, violationf("empty chunk size")
	}
	return n, nil
}

// shorten keeps a message about bytes readable.
func shorten(b []byte) []byte { return b[:min(len(b), 80)] }
