package http1

import "bytes"

// MaxResponseFields bounds the fields of one response.
const MaxResponseFields = 512

// ParseResponseHead reads one response head from the start of buf into resp and returns its length in octets, the empty
// line included. isHead tells that the request was a HEAD. The fields and the reason alias buf; the memory of resp.Fields is
// used again.
//
// It returns ErrIncomplete while the head is not all there (bounding the size of buf is the caller's part) and a
// *SyntaxError when it can never become a response of RFC 9112.
func ParseResponseHead(buf []byte, isHead bool, resp *Response) (consumed int, err error) {
	fields := resp.Fields[:0]
	*resp = Response{Fields: fields, ContentLength: -1}
	line, rest, err := cutLine(buf)
	if err == ErrIncomplete && !mayBecomeStatusLine(buf) {
		return 0, malformed("not an HTTP/1 response")
	}
	if err != nil {
		return 0, err
	}
	if err := parseStatusLine(line, resp); err != nil {
		return 0, err
	}
	resp.Fields, rest, err = parseFieldLines(rest, fields, MaxResponseFields)
	if err != nil {
		return 0, err
	}
	if err := frameResponse(resp, isHead); err != nil {
		return 0, err
	}
	return len(buf) - len(rest), nil
}

// HeadReady tells whether ParseResponseHead will have an answer other than ErrIncomplete. It looks at buf only from the
// offset that the previous call returned (0 at first), so that a head which arrives in many pieces costs one pass.
func HeadReady(buf []byte, from int) (next int, ready bool) { return headEnd(buf, from) }

// parseStatusLine reads "HTTP/1.x SP 3DIGIT [SP reason]" (RFC 9112 section 4). The space before an absent reason is
// often left out, and that is harmless.
func parseStatusLine(line []byte, resp *Response) error {
	const start = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || string(line[:len(start)]) != start || line[8] != ' ' {
		return malformed("not an HTTP/1 status line")
	}
	switch line[7] {
	case '0', '1':
		resp.Minor = int(line[7] - '0')
	default:
		return malformed("unknown HTTP/1 minor version")
	}
	code := line[9:12]
	if code[0] < '1' || code[0] > '5' || !isDigit(code[1]) || !isDigit(code[2]) {
		return malformed("status code is not 100 to 599")
	}
	resp.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	if len(line) == 12 {
		return nil
	}
	if line[12] != ' ' || !ValidValue(line[13:]) {
		return malformed("malformed reason phrase")
	}
	resp.Reason = line[13:]
	return nil
}

// mayBecomeStatusLine tells whether an unfinished first line can still become one, so that a peer which speaks another
// protocol is refused at once and not after a timeout.
func mayBecomeStatusLine(buf []byte) bool {
	const start = "HTTP/1."
	if len(buf) < len(start) {
		return string(buf) == start[:len(buf)]
	}
	return bytes.HasPrefix(buf, []byte(start))
}

// frameResponse decides the length of the body (RFC 9112 section 6.3).
func frameResponse(resp *Response, isHead bool) error {
	f, err := readFraming(resp.Fields)
	if err != nil {
		return err
	}
	resp.ContentLength = f.length
	resp.Closes = resp.Minor == 0 || resp.Fields.HasToken("Connection", "close")
	switch {
	case f.codings > 0 && resp.Minor == 0:
		// Section 6.1: faulty framing, since HTTP/1.0 has no transfer codings.
		return malformed("Transfer-Encoding in an HTTP/1.0 response")
	case f.codings > 0 && !f.chunked:
		return malformed("transfer coding is not chunked")
	case f.codings > 0 && f.lengths > 0:
		return malformed("both Content-Length and Transfer-Encoding")
	case f.codings > 0 && resp.Status < 200:
		return malformed("Transfer-Encoding in an interim response")
	}
	switch {
	case resp.Status < 200 || resp.Status == 204:
		// RFC 9110 sections 8.6 and 15.3.5: a length here is wrong and has no body behind it. But its sender may well
		// send one, and that must never be read as the answer to the next request.
		resp.Closes = resp.Closes || f.codings > 0 || f.length > 0
	case isHead || resp.Status == 304:
	case f.codings > 0:
		resp.Length = LengthChunked
	case f.lengths > 0:
		resp.Length = f.length
	default:
		resp.Length = LengthUntilClose
		resp.Closes = true
	}
	return nil
}
