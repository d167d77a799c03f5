package upstream

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"haldane/proxy/http1"
)

// uploadGrace is how long Close waits for an upload that is still under way although its response is complete: an
// endpoint that answers at its first sight of the last bytes should not see its connection cut.
const uploadGrace = 50 * time.Millisecond

// upload sends one request body on a goroutine of its own, so that a response can be read at the same time (RFC 9112
// section 9.5: an endpoint may answer early, and a client has to notice).
type upload struct {
	body     io.Reader
	length   int64
	trailers func() http1.Fields
	carrier  carrier

	started bool          // by this exchange, and not joined yet
	done    chan struct{} // gets one token at the end; kept from one exchange to the next
	whole   bool          // the body was sent to its end; valid after done

	running atomic.Bool
	began   time.Time    // on a clock that nobody can set, as moved is
	moved   atomic.Int64 // when octets last left, in nanoseconds since then and one more; 0: no upload
}

// move notes that octets leave now.
func (u *upload) move() { u.moved.Store(int64(time.Since(u.began)) + 1) }

// rest says that there is no upload. A write costs the time of a small function.
func (u *upload) rest() {
	if u.moved.Load() != 0 {
		u.moved.Store(0)
	}
}

// last is when octets last left; false without an upload.
func (u *upload) last() (time.Time, bool) {
	moved := u.moved.Load()
	return u.began.Add(time.Duration(moved - 1)), moved != 0
}

// startUpload begins to send the body of the request whose head was just written.
func (c *conn) startUpload(req *http1.Request) {
	u := &c.upload
	u.body, u.length, u.trailers = req.Body, req.Length, req.Trailers
	u.started, u.whole = true, false
	u.began = time.Now()
	u.move()
	u.running.Store(true)
	go c.runUpload()
}

// runUpload is the goroutine. It never leaves an incomplete body looking complete: when the body fails, the connection
// is closed where it stands (RFC 9112 section 8).
func (c *conn) runUpload() {
	u := &c.upload
	defer func() {
		if cause := recover(); cause != nil {
			_ = c.uploadFailed(KindRequestBody, "read request body", fmt.Errorf("%w: %v", errBodyPanic, cause))
		}
		u.carrier.give()
		u.running.Store(false)
		u.done <- struct{}{}
	}()
	u.carrier.take(&c.endpoint.memory)
	err := c.send()
	if err == nil {
		u.whole = true
	}
	// Also after a failed write: the endpoint may have answered before it hung up, and that answer is worth reading.
	c.armHead(true, time.Now())
}

// send writes the body. Errors of reading it end the exchange here; an error of writing is returned, and only a write
// that found no room in time ends the exchange.
func (c *conn) send() error {
	u := &c.upload
	for left := u.length; left != 0; {
		block := u.carrier.octets()
		data := u.room(block, left)
		n, err := u.read(data)
		if n > 0 && (err == nil || err == io.EOF) {
			if writeErr := c.sendPiece(block, n); writeErr != nil {
				return writeErr
			}
			if left > 0 {
				left -= int64(n)
			}
			u.carrier.fit(n, len(data), left)
		}
		switch {
		case err == nil, left == 0:
		case err == io.EOF && left < 0:
			return c.sendLast(u.carrier.octets()) // block may have been given back
		case err == io.EOF:
			return c.uploadFailed(KindRequestBody, "read request body", io.ErrUnexpectedEOF)
		default:
			return c.uploadFailed(KindRequestBody, "read request body", err)
		}
	}
	return nil
}

// room is where the next octets of the body are read into. Without chunks it is all of the block: a part of what a reader below has
// at hand would be left over, and cost a write of its own.
func (u *upload) room(block []byte, left int64) []byte {
	if left < 0 {
		return block[http1.ChunkHeadroom : len(block)-http1.ChunkTailroom]
	}
	return block[:min(left, int64(len(block)))]
}

// read reads the next octets of the body, and again when nothing at all came.
func (u *upload) read(p []byte) (int, error) {
	for range 64 {
		n, err := u.body.Read(p)
		if n < 0 || n > len(p) {
			return 0, errBodyTooLong
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// sendPiece writes the n octets that stand in the block.
func (c *conn) sendPiece(block []byte, n int) error {
	if c.upload.length < 0 {
		return c.sendOctets(http1.FrameChunk(block, n))
	}
	return c.sendOctets(block[:n])
}

// sendLast writes the end of a chunked body.
func (c *conn) sendLast(block []byte) error {
	var trailers http1.Fields
	if c.upload.trailers != nil {
		trailers = c.upload.trailers()
	}
	return c.sendOctets(http1.AppendLastChunk(block[:0], trailers))
}

func (c *conn) sendOctets(p []byte) error {
	err := c.write(p)
	if err == nil {
		c.upload.move()
		return nil
	}
	if timedOut(err) {
		return c.uploadFailed(KindTimeout, "send request body", err)
	}
	return err
}

// uploadFailed ends the exchange from the upload's side: it says why, and closes the connection, which also ends the
// wait for the response.
func (c *conn) uploadFailed(kind Kind, op string, err error) error {
	c.mu.Lock()
	if c.failure == nil {
		c.failure = &Error{Kind: kind, Op: op, Err: err}
	}
	c.mu.Unlock()
	c.kill()
	return err
}

// cancelUpload ends the upload, if one is running, and waits for it. The connection must have been closed.
func (c *conn) cancelUpload() {
	u := &c.upload
	if !u.started {
		return
	}
	if u.running.Load() {
		if r, ok := u.body.(http1.ReadCanceler); ok {
			r.CancelRead()
		}
	}
	<-u.done
	u.forget()
}

// settleUpload waits a moment for the upload to finish by itself, and reports whether the body has been sent whole. If it
// has not ended, it is left running.
func (c *conn) settleUpload() bool {
	u := &c.upload
	if !u.started {
		return true
	}
	select {
	case <-u.done:
	default:
		grace := time.NewTimer(uploadGrace)
		defer grace.Stop()
		select {
		case <-u.done:
		case <-grace.C:
			return false
		}
	}
	u.forget()
	return u.whole
}

// forget lets go of the request after the goroutine has ended.
func (u *upload) forget() {
	u.started = false
	u.body, u.trailers = nil, nil
}
