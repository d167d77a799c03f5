package socket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// quick is the most octets of a call that the scheduler is not told of: copying more takes the kernel so long that another
// goroutine should have the processor meanwhile.
const quick = 64 << 10

// Conn is a TCP connection that is read and written at the least price. Everything else is as it is with the connection that it
// was made of.
type Conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out turn

	// Bound once, so that a turn allocates nothing.
	read, write func(fd uintptr) bool
}

// turn is one read, or one write.
type turn struct {
	p     []byte
	n     int
	errno syscall.Errno
}

// Wrap makes a Conn of a TCP connection, and gives back every other connection as it is.
func Wrap(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn // it has ended
	}
	c := &Conn{TCPConn: tcp, raw: raw}
	c.read, c.write = c.readTurn, c.writeTurn
	return c
}

// Plain is the TCP connection that a connection is, and nil for one that something lies over.
func Plain(conn net.Conn) *net.TCPConn {
	switch c := conn.(type) {
	case *Conn:
		return c.TCPConn
	case *net.TCPConn:
		return c
	}
	return nil
}

// Read is like that of net.TCPConn.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 || len(p) > quick {
		return c.TCPConn.Read(p)
	}
	c.in = turn{p: p}
	err := c.raw.Read(c.read)
	n, err := c.in.end("read", err)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Write is like that of net.TCPConn.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) == 0 || len(p) > quick {
		return c.TCPConn.Write(p)
	}
	c.out = turn{p: p}
	err := c.raw.Write(c.write)
	return c.out.end("write", err)
}

// end is what came of a turn, which is then forgotten; waited is what came of waiting.
func (t *turn) end(op string, waited error) (int, error) {
	n, errno := t.n, t.errno
	*t = turn{}
	switch {
	case waited != nil:
		return n, waited
	case errno != 0:
		return n, os.NewSyscallError(op, errno)
	}
	return n, nil
}

// readTurn reads what there is, and says whether there was anything.
func (c *Conn) readTurn(fd uintptr) bool {
	c.in.n, c.in.errno = Read(fd, c.in.p)
	return c.in.errno != syscall.EAGAIN
}

// writeTurn writes as much as there is room for, and says whether that was all.
func (c *Conn) writeTurn(fd uintptr) bool {
	t := &c.out
	for t.n < len(t.p) {
		n, errno := Write(fd, t.p[t.n:])
		t.n += n
		if t.errno = errno; errno != 0 {
			return errno != syscall.EAGAIN
		}
	}
	return true
}
