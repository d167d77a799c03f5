package proxy

import (
	"net"
	"syscall"
)

// readiness waits for a connection to have something to read, without a buffer to read it into.
type readiness struct {
	raw  syscall.RawConn       // nil for a connection that cannot be asked: its Read waits
	look func(fd uintptr) bool // readable, bound once
	err  error
}

func newReadiness(conn net.Conn) *readiness {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
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
	var one [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		case nil:
			return true
		default:
			r.err = err
			return true
		}
	}
}
