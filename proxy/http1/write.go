package http1

import "strconv"

// AppendRequestHead appends the head of r: request line in HTTP/1.1, fields in their order and spelling, framing. A
// Content-Length or Transfer-Encoding among the fields is left out; the framing is written from r.Length alone, so that there
// is exactly one. An empty body is stated only for the methods that give it a meaning (RFC 9110 section 8.6).
func AppendRequestHead(dst []byte, r *Request) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = AppendFields(dst, r.Fields)
	if r.Length != 0 || statesEmptyBody(r.Method) {
		dst = appendFraming(dst, r.Length)
	}
	return append(dst, '\r', '\n')
}

// ResponseHead is a response head to be written to a client.
type ResponseHead struct {
	// Status is the status code.
	Status int
	// Reason is the reason phrase, which may be empty.
	Reason []byte
	// Fields are the fields to write, in this order. Framing fields among them are left out.
	Fields Fields
	// More are further fields behind them, for those that the proxy adds. May be nil.
	More Fields
	// Length says how the body is framed: a Content-Length, LengthChunked, or no framing field for LengthUntilClose and
	// LengthUnstated. Ignored for 1xx and 204, which have no body and no framing field (RFC 9110 section 8.6, RFC 9112
	// section 6.1). A HEAD or 304 response states the length that the body would have.
	Length int64
}

// AppendResponseHead appends a response head in HTTP/1.1, whatever version the endpoint spoke (RFC 9110 section 2.5).
// Connection and Date fields are the caller's.
func AppendResponseHead(dst []byte, h *ResponseHead) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(h.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, h.Reason...)
	dst = append(dst, '\r', '\n')
	dst = AppendFields(dst, h.Fields)
	dst = AppendFields(dst, h.More)
	if h.Status >= 200 && h.Status != 204 {
		dst = appendFraming(dst, h.Length)
	}
	return append(dst, '\r', '\n')
}

// AppendFields appends field lines, without framing fields and without the empty line at the end.
func AppendFields(dst []byte, fields Fields) []byte {
	for i := range fields {
		if isFraming(fields[i].Name) {
			continue
		}
		dst = append(dst, fields[i].Name...)
		dst = append(dst, ':', ' ')
		dst = append(dst, fields[i].Value...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

func appendFraming(dst []byte, length int64) []byte {
	switch {
	case length >= 0:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, length, 10)
		dst = append(dst, '\r', '\n')
	case length == LengthChunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	return dst
}

func isFraming(name []byte) bool {
	switch len(name) {
	case len("Content-Length"):
		return EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return EqualFold(name, "Transfer-Encoding")
	}
	return false
}

func statesEmptyBody(method []byte) bool {
	switch string(method) {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}
