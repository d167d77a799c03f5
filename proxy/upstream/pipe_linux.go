package upstream

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"haldane/proxy/socket"
)

// Pipe carries octets from one TCP connection to another without bringing them into the process (splice(2)). It is for one
// goroutine, and must be closed.
type Pipe struct {
	in, out int // file descriptors
	held    int // octets that are in it

	// Of the move under way.
	most, moved int
	err         error
}

// NewPipe opens a pipe.
func NewPipe() (*Pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	// With less room a piece is smaller and all dearer; where the system grants no more, the pipe has what it has by itself.
	_, _ = unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, pipeSize)
	return &Pipe{in: ends[1], out: ends[0]}, nil
}

// Held returns how many octets are in the pipe.
func (p *Pipe) Held() int { return p.held }

// Close closes the pipe, with what is in it.
func (p *Pipe) Close() {
	_ = unix.Close(p.in)
	_ = unix.Close(p.out)
}

// Drain moves some of what is in the pipe to a connection, and waits for room there under its write deadline.
func (p *Pipe) Drain(to *net.TCPConn) error {
	raw, err := to.SyscallConn()
	if err != nil {
		return err
	}
	p.most = p.held
	err = p.end(raw.Write(func(fd uintptr) bool { return p.move(p.out, int(fd)) }))
	p.held -= p.moved
	return err
}

// fill moves up to so many octets from a connection into the pipe, which must be empty, and waits for some under its read deadline.
// The end of the connection is io.EOF.
func (p *Pipe) fill(from *net.TCPConn, most int) (int, error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return 0, err
	}
	p.most = most
	err = p.end(raw.Read(func(fd uintptr) bool { return p.move(int(fd), p.in) }))
	p.held += p.moved
	return p.moved, err
}

// move moves what can be moved without waiting, and says whether it has tried in earnest.
func (p *Pipe) move(from, to int) bool {
	for {
		n, err := unix.Splice(from, nil, to, nil, p.most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err == syscall.EINTR {
			continue
		}
		p.moved, p.err = max(int(n), 0), err
		return err != syscall.EAGAIN
	}
}

// end is what came of a move.
func (p *Pipe) end(err error) error {
	switch {
	case err != nil:
		p.moved = 0
		return err
	case p.err != nil:
		return os.NewSyscallError("splice", p.err)
	case p.moved == 0:
		return io.EOF
	}
	return nil
}

// pipeSize is how much a pipe holds at the most.
const pipeSize = 512 << 10

// pipeLeast is how much of a body must be left for a pipe to be worth its price.
const pipeLeast = 256 << 10

// Fills says whether the next octets of the body can be read by Fill: they are many, none of them has been read from the
// connection yet, and it is a plain one.
func (r *Response) Fills() bool {
	if r.err != nil || r.left < pipeLeast || r.conn.buf.Len() > r.lent {
		return false
	}
	return socket.Plain(r.conn.net) != nil
}

// Fill reads the next octets of the body into an empty pipe. It ends like Next.
func (r *Response) Fill(p *Pipe) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left == 0 {
		return 0, r.count(0, io.EOF)
	}
	r.conn.buf.Discard(r.lent)
	r.lent = 0
	r.shed()
	n, err := r.conn.fill(p, int(min(r.left, pipeSize)))
	return n, r.count(n, err)
}

// fill is Read into a pipe.
func (c *conn) fill(p *Pipe, most int) (int, error) {
	c.waited = true
	for {
		if err := c.armRead(); err != nil {
			return 0, err
		}
		n, err := p.fill(socket.Plain(c.net), most)
		if err != nil && timedOut(err) && c.armForUpload() {
			continue
		}
		return n, err
	}
}
