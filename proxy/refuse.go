package proxy

import (
	"cmp"
	"strconv"
	"time"

	"haldane/proxy/http1"
)

// refuse answers the client itself. A request that cannot be trusted ends its connection: nobody knows where the next one
// begins.
func (x *exchange) refuse(f failure) {
	x.conclude(f)
	x.failed = cmp.Or(x.failed, f)
	if f == clientGone {
		x.closing = true
		x.conn.cut()
		return
	}
	if x.writer.begun {
		x.closing = true
		x.writer.truncate()
		return
	}
	x.count(f)
	if !f.trusted() || !x.body.whole.Load() {
		x.endConnection()
	}
	w := &x.writer
	w.open(x.conn, 0)
	defer w.close()
	answer := f.reply()
	x.answered = answer.status
	w.out = appendReply(w.out, answer, replyOptions{
		date: x.server.date(time.Now()),
		more: x.appendConnection(x.appendNotes(x.kept.sent[:0])),
		head: string(x.in.method) == "HEAD",
	})
	if !w.flush() {
		x.closing = true
	}
}

// endConnection makes this the last exchange of a connection on which the client may still be sending.
func (x *exchange) endConnection() { x.closing, x.conn.lingering = true, true }

// count counts what belongs to no variant.
func (x *exchange) count(f failure) {
	switch {
	case f == noService:
		x.server.counters.unmatched.Add(1)
	case !f.trusted() && f != panicked:
		x.server.counters.malformed.Add(1)
	}
}

// replyOptions are the parts of an answer that differ from request to request.
type replyOptions struct {
	date []byte
	more http1.Fields
	head bool // the answer to a HEAD: no body
}

// appendReply appends a whole answer of our own. The body says the same as the field, for people.
func appendReply(dst []byte, r reply, o replyOptions) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(r.status), 10)
	dst = append(append(dst, ' '), r.reason...)
	dst = append(dst, "\r\nDate: "...)
	dst = append(dst, o.date...)
	dst = append(dst, "\r\nContent-Type: text/plain; charset=utf-8\r\nHaldane-Error: "...)
	dst = append(dst, r.what...)
	if r.retry {
		dst = append(dst, "\r\nRetry-After: 1"...)
	}
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(r.what)+1), 10)
	dst = append(dst, "\r\n"...)
	dst = http1.AppendFields(dst, o.more)
	dst = append(dst, "\r\n"...)
	if o.head {
		return dst
	}
	return append(append(dst, r.what...), '\n')
}
