package proxy

import (
	"time"

	"haldane/proxy/socket"
	"haldane/proxy/upstream"
)

// pipesMost bounds the pipes that are open at a time, since each takes two file descriptors and may hold what a slow client does not
// take. What finds no pipe is carried through the process.
const pipesMost = 64

// mayPipe is pipesMost, or less where there are few descriptors.
func (s *Server) mayPipe() int64 {
	if s.capacity > 0 {
		return min(pipesMost, int64(s.capacity)/16)
	}
	return pipesMost
}

// take takes the next octets of the body: a piece into the writer's buffer, or, of what is large and goes from one TCP connection to
// another as it is, all that is there into a pipe.
func (x *exchange) take() (int, error) {
	w := &x.writer
	if w.pipe != nil || len(w.out) == 0 && x.response.Fills() && w.openPipe() {
		return x.response.Fill(w.pipe)
	}
	n, err := x.response.Read(w.space())
	w.commit(n)
	return n, err
}

// openPipe gets a pipe to the client, if there is one to be had, in the place of the buffer.
func (w *writer) openPipe() bool {
	s := w.conn.server
	if socket.Plain(w.conn.Conn) == nil || w.framing < 0 {
		return false
	}
	if s.pipes.Add(1) <= s.mayPipe() {
		if pipe, err := upstream.NewPipe(); err == nil {
			w.pipe = pipe
			w.giveBuffer() // the rest of the body is not for it
			return true
		}
	}
	s.pipes.Add(-1)
	return false
}

// sendPiped writes what is in a pipe as a part of a final response.
func (c *clientConn) sendPiped(pipe *upstream.Pipe) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	for pipe.Held() > 0 {
		if err := c.armWrite(time.Now()); err != nil {
			return err
		}
		if err := pipe.Drain(socket.Plain(c.Conn)); err != nil {
			return err
		}
	}
	return nil
}
