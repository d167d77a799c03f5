package http1

import "math"

// RequestLength returns the length of a request's body: a number of octets or LengthChunked (RFC 9112 section 6.3).
//
// It refuses what could be read in two ways: Content-Length together with Transfer-Encoding, more than one
// Content-Length even if they agree, a value that is not 1*DIGIT or does not fit, any coding but chunked (501 where the
// message could still be delimited). A Transfer-Encoding in an HTTP/1.0 request is for the caller to refuse: the fields do
// not know the version (RFC 9112 section 6.1).
func RequestLength(fields Fields) (int64, error) {
	f, err := readFraming(fields)
	if err != nil {
		return 0, err
	}
	switch {
	case f.codings > 0 && f.lengths > 0:
		return 0, malformed("both Content-Length and Transfer-Encoding")
	case f.codings > 0 && f.chunked:
		return LengthChunked, nil
	case f.codings > 0 && f.delimited:
		return 0, unsupported("transfer coding is not supported")
	case f.codings > 0:
		return 0, malformed("transfer coding is not chunked")
	case f.lengths > 1:
		return 0, malformed("more than one Content-Length")
	case f.lengths == 1:
		return f.length, nil
	}
	return 0, nil
}

// framing is what the framing fields of one message say.
type framing struct {
	length    int64 // the value of Content-Length; -1 without one
	lengths   int   // Content-Length fields
	codings   int   // Transfer-Encoding fields
	chunked   bool  // the coding is exactly chunked, said once
	delimited bool  // chunked is the last of several codings
}

// readFraming gathers the framing fields. Invalid and different lengths are errors in every message.
func readFraming(fields Fields) (framing, error) {
	f := framing{length: -1}
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		switch {
		case len(name) == len("Content-Length") && EqualFold(name, "Content-Length"):
			n, ok := parseLength(value)
			if !ok {
				return f, malformed("Content-Length is not a number of octets")
			}
			if f.lengths > 0 && n != f.length {
				return f, malformed("different Content-Length fields")
			}
			f.length = n
			f.lengths++
		case len(name) == len("Transfer-Encoding") && EqualFold(name, "Transfer-Encoding"):
			f.codings++
			f.chunked = f.codings == 1 && EqualFold(value, "chunked")
			f.delimited = !f.chunked && endsChunked(value)
		}
	}
	return f, nil
}

// parseLength reads 1*DIGIT that fits 63 bits (RFC 9110 section 8.6).
func parseLength(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range value {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	// 19 digits stay below 2^64, so n has not wrapped.
	return int64(n), n <= math.MaxInt64
}

// endsChunked reports whether a list of at least two codings, all tokens, ends with chunked and names it once.
func endsChunked(list []byte) bool {
	last := false
	count, chunks := 0, 0
	for more := true; more; {
		var coding []byte
		coding, list, more = nextElement(list)
		if !ValidToken(coding) {
			return false
		}
		count++
		if last = EqualFold(coding, "chunked"); last {
			chunks++
		}
	}
	return last && count > 1 && chunks == 1
}
