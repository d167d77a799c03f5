package proxy

import (
	"bytes"

	"haldane/proxy/http1"
)

// intake is what a connection knows about the bytes of the request under way, beside the reader of requests. It belongs to
// whom Read belongs.
type intake struct {
	lined     bool  // the request line has ended
	served    bool  // the handler has the request
	lent      bool  // the reader holds a byte that the client has not sent
	octets    int64 // read since the head
	most      int64 // how many may be; zero for any number
	readAhead int   // how many the reader takes before it is asked for them
}

// The bounds of what is not data in a chunked body: so much of it, and so much more for each octet of data.
const (
	framingAllowance = 16 << 10
	framingPerOctet  = 16
)

// errFraming is a chunked body that is made of other things than data.
const errFraming constError = "more chunk extensions than data"

// lend gives the reader of requests one byte that the client has not sent, when it waits for the first byte of a body of
// known length. It would not start the handler without one, and a request whose client thinks before it sends its body, or
// is to be told not to send it, would not go on (RFC 9112 section 9.5, RFC 9110 section 10.1.1). The body gives it back.
func (i *intake) lend(p []byte) bool {
	if i.served || i.lent || len(p) == 0 {
		return false
	}
	p[0], i.lent = 0, true
	return true
}

// took notes what has been read: of a head, whether its first line has ended; of a body, how much it was. RFC 9112 section
// 7.1.1 has a server bound the extensions of chunks, which the reader passes over without end.
func (i *intake) took(phase readPhase, p []byte) error {
	if phase != readBody {
		i.lined = i.lined || bytes.IndexByte(p, '\n') >= 0
		return nil
	}
	i.octets += int64(len(p))
	if i.most > 0 && i.octets > i.most {
		return errFraming
	}
	return nil
}

// allow sets how much may be read for so many octets of data. Trailers have the bound of a head, and the reader's may be
// full of what nobody has asked for yet.
func (i *intake) allow(data int64) {
	i.most = framingAllowance + 2*int64(i.readAhead) + data + framingPerOctet*data
}

// next reads from the stream, and the first byte from the connection when the stream has one that was lent.
func (b *body) next(p []byte) (int, error) {
	i := &b.conn.intake
	if !i.lent || len(p) == 0 {
		n, err := b.stream.Read(p)
		if b.length == http1.LengthChunked {
			i.allow(b.count.Load() + int64(n))
		}
		return n, err
	}
	if n, err := b.stream.Read(p[:1]); n == 0 { // from the reader's memory
		return 0, err
	}
	i.lent = false
	n, err := b.conn.Read(p[:1])
	if n == 0 || len(p) == 1 || b.length == 1 || b.conn.peek() != peekData {
		return n, err
	}
	n, err = b.stream.Read(p[1:])
	return 1 + n, err
}

// refusalOf is the answer to a request that could not be read. A head that is too large because of its target has a status of
// its own (RFC 9110 section 15.5.15). Where the head began together with the end of the request before it, that is not seen.
func (c *clientConn) refusalOf(err error) failure {
	f := refusalOf(err)
	if f == headTooLarge && !c.intake.lined {
		return targetTooLong
	}
	return f
}
