package http1

import "encoding/binary"

// SyntaxError says why a message is refused.
type SyntaxError struct {
	// Status is the answer that a client deserves whose request it was: 400, 414, 431 or 501.
	Status int
	// Text says what is wrong, without quoting the message.
	Text string
}

// Error returns Text.
func (e *SyntaxError) Error() string { return e.Text }

// sentinel is an error that is a constant.
type sentinel string

// Error returns the text of the constant.
func (s sentinel) Error() string { return string(s) }

// ErrIncomplete says that a head is well formed as far as it goes, but more bytes are needed.
const ErrIncomplete = sentinel("incomplete head")

func malformed(text string) error   { return &SyntaxError{Status: 400, Text: text} }
func tooLarge(text string) error    { return &SyntaxError{Status: 431, Text: text} }
func unsupported(text string) error { return &SyntaxError{Status: 501, Text: text} }

// A class of characters is a table of all octets, with a space for those that are not in it. A constant is one that nobody can change.
const (
	none32 = "                                "

	// tchar (RFC 9110 section 5.6.2).
	tokenChars = none32 +
		" ! #$%&'  *+ -. 0123456789      " +
		" ABCDEFGHIJKLMNOPQRSTUVWXYZ   ^_" +
		"`abcdefghijklmnopqrstuvwxyz | ~ " +
		none32 + none32 + none32 + none32

	// reg-name without pct-encoded (RFC 3986 section 3.2.2): unreserved and sub-delims.
	hostChars = none32 +
		" !  $ &'()*+,-. 0123456789 ; =  " +
		" ABCDEFGHIJKLMNOPQRSTUVWXYZ    _" +
		" abcdefghijklmnopqrstuvwxyz   ~ " +
		none32 + none32 + none32 + none32
)

// ValidToken reports whether b is a token (RFC 9110 section 5.6.2): a method, a field name, a connection option.
func ValidToken(b []byte) bool { return len(b) > 0 && tokenEnd(b) == len(b) }

// tokenEnd is where the token ends that b begins with.
func tokenEnd(b []byte) int {
	for i, c := range b {
		if tokenChars[c] == ' ' {
			return i
		}
	}
	return len(b)
}

// ValidValue reports whether b may stand in a field value or a reason phrase (RFC 9110 section 5.5): no control
// character but HTAB, so no CR, LF or NUL. White space around it is not its business.
func ValidValue(b []byte) bool {
	for len(b) >= 8 {
		if suspicious(binary.LittleEndian.Uint64(b)) && !validOctets(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return validOctets(b)
}

func validOctets(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// suspicious reports whether any of eight octets may be below SP or DEL. It looks at all at once: subtracting borrows
// from the top bit of an octet that is smaller. A borrow from a neighbour can make it say yes for nothing, never no.
func suspicious(word uint64) bool {
	const each = 0x0101010101010101
	del := word ^ each*0x7f
	return ((word-each*' ')&^word|(del-each)&^del)&(each*0x80) != 0
}

// trimOWS cuts the optional white space around a field value (RFC 9110 section 5.6.3).
func trimOWS(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// unhex returns the value of a hexadecimal digit, or 16.
func unhex(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return uint64(c-'A') + 10
	}
	return 16
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// EqualFold compares a field name or token with text, ignoring the case of ASCII letters and of nothing else.
func EqualFold[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
