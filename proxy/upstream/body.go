package upstream

import (
	"io"
	"time"

	"haldane/proxy/http1"
)

// Response is a response whose body has yet to be read. It and everything it has given out are valid until Close.
type Response struct {
	http1.Response
	// At is when the head had come.
	At time.Time

	conn     *conn
	chunks   http1.ChunkedReader
	left     int64 // octets of a body of known length that were not handed out yet
	lent     int   // octets of the buffer that the last Next lent to its caller
	read     int64 // octets handed out
	closed   bool
	headless bool  // nobody uses the head any more
	err      error // final: io.EOF after the true end, or an *Error
}

// start makes the body ready to be read. The head must stay where it is.
func (r *Response) start() {
	b := &r.conn.buf
	b.Keep()
	if b.Room() < minBodyRoom {
		r.widen()
	}
	switch {
	case r.Length >= 0:
		r.left = r.Length
	case r.Length == http1.LengthChunked:
		r.chunks.Reset(b)
	}
}

// forget drops what belongs to the exchange, and makes a Response that is used after its end fail.
func (r *Response) forget() {
	*r = Response{closed: true, err: errClosed}
}

// Next returns the next octets of the body without copying them, at least one, and waits only when none are at hand. They
// stay valid until the next call of Next, Read or WriteTo. After the true end of the body it returns io.EOF, every other
// error is an *Error; both are final.
func (r *Response) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.Length == http1.LengthChunked {
		if r.read > largeBody {
			r.widen()
		}
		piece, err := r.chunks.Next()
		return piece, r.count(len(piece), err)
	}
	b := &r.conn.buf
	b.Discard(r.lent)
	r.lent = 0
	if r.Length >= 0 && r.left == 0 {
		return nil, r.count(0, io.EOF)
	}
	if b.Len() == 0 {
		if r.left > largeBody || r.read > largeBody || r.conn.head == nil {
			r.widen()
		}
		if err := r.count(0, b.Fill()); err != nil {
			return nil, err
		}
	}
	piece := b.Bytes()
	if r.Length >= 0 && int64(len(piece)) > r.left {
		piece = piece[:r.left]
	}
	r.lent = len(piece)
	return piece, r.count(len(piece), nil)
}

// Ready tells whether Next would return without waiting, be it octets, the end or an error. A writer that holds octets
// back should send them on when it says no.
func (r *Response) Ready() bool {
	switch {
	case r.err != nil, r.Length >= 0 && r.left == 0:
		return true
	case r.Length == http1.LengthChunked:
		return r.chunks.Ready()
	}
	return r.conn.buf.Len() > r.lent
}

// Read reads the body into p. It ends like Next.
func (r *Response) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	if r.Length == http1.LengthChunked {
		n, err := r.readChunks(p)
		return n, r.count(n, err)
	}
	b := &r.conn.buf
	b.Discard(r.lent)
	r.lent = 0
	if r.Length >= 0 {
		if r.left == 0 {
			return 0, r.count(0, io.EOF)
		}
		if int64(len(p)) > r.left {
			p = p[:r.left]
		}
	}
	r.shed()
	n, err := b.Read(p)
	return n, r.count(n, err)
}

// flusher is a writer that holds octets back until it is told.
type flusher interface{ Flush() error }

// WriteTo writes the whole body to w, which is told to Flush, if it can, before every wait for the endpoint. An error that
// is not an *Error is w's.
func (r *Response) WriteTo(w io.Writer) (int64, error) {
	f, _ := w.(flusher)
	var total int64
	for {
		piece, err := r.Next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(piece)
		total += int64(n)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		if err == nil && f != nil && !r.Ready() {
			err = f.Flush()
		}
		if err != nil {
			return total, err
		}
	}
}

// Trailers returns the trailer fields, once the body has returned io.EOF.
func (r *Response) Trailers() http1.Fields {
	if r.err != io.EOF || r.Length != http1.LengthChunked {
		return nil
	}
	return r.chunks.Trailers()
}

// count accounts for n octets handed out, and turns an error of the connection into what it means here.
func (r *Response) count(n int, err error) error {
	r.read += int64(n)
	if r.Length >= 0 {
		r.left -= int64(n)
	}
	switch {
	case err == nil:
		return nil
	case err != io.EOF:
		r.err = r.conn.fail("read response body", err)
	case r.Length >= 0 && r.left > 0:
		r.err = r.conn.fail("read response body", io.ErrUnexpectedEOF)
	default:
		r.err = io.EOF
	}
	return r.err
}

// whole reports whether the response was read to its end and nothing came behind it.
func (r *Response) whole() bool {
	r.conn.buf.Discard(r.lent)
	r.lent = 0
	ended := r.err == io.EOF || r.err == nil && r.Length >= 0 && r.left == 0
	return ended && r.conn.buf.Len() == 0
}

// Close ends the exchange. The connection is kept for another one if both messages were whole and nothing speaks against it,
// and closed otherwise. An upload that is still running gets a moment (50 ms) to finish if the response was read to its end,
// then it is stopped: the connection is closed, so that the endpoint sees an incomplete request, and the body's CancelRead
// is called. When Close returns, nothing uses the request's body any more. Close must be called exactly once.
func (r *Response) Close() error {
	if r.closed {
		return nil
	}
	c := r.conn
	r.closed = true
	keep := r.whole() && c.settleUpload() && !r.Response.Closes
	if c.upload.started {
		c.kill()
		c.cancelUpload()
		keep = false
	}
	keep = c.options.Abort.detach() && keep
	c.clear()
	if keep {
		if c.waited {
			c.now = time.Now()
		}
		c.endpoint.pool.put(c, c.now)
	} else {
		c.endpoint.pool.drop(c)
	}
	return nil
}
