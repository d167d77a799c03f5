package proxy

import (
	"net"
	"syscall"

	"haldane/proxy/socket"
)

// readiness waits for a connection to have something to read, without a buffer to read it into.
type readiness struct {
	raw  syscall.RawConn       // nil for a connection that cannot be asked: its Read waits
	look func(fd uintptr) bool // readable, bound once
	err  error
}

func newReadiness(conn net.Conn) *readiness {
	tcp := socket.Plain(conn)
	if tcp == nil {
		return &readiness{}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return &readiness{}
	}
	r := &readiness{raw: raw}
	r.look = r.readable
	return r
}

// wait waits until a Read would not.
func (r *readiness) wait() error {
	if r.raw == nil {
		return nil
	}
	if err := r.raw.Read(r.look); err != nil {
		return err
	}
	return r.err
}

// readable says whether a read would return at once, with octets, the end or an error. It has to look each time it is
// asked: the poller tells of a change only once. An error is kept, because the kernel tells of it only once as well.
func (r *readiness) readable(fd uintptr) bool {
	_, errno := socket.Peek(fd)
	if errno != 0 && errno != syscall.EAGAIN {
		r.err = errno
	}
	return errno != syscall.EAGAIN
}
