package upstream

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// probe looks whether an idle connection can be used again, without taking anything from it and without waiting.
type probe struct {
	raw   syscall.RawConn
	look  func(fd uintptr) // poll, bound once so that a look allocates nothing
	quiet bool
	fds   [1]unix.PollFd
}

func (p *probe) init(c net.Conn) {
	if s, ok := c.(syscall.Conn); ok {
		p.raw, _ = s.SyscallConn()
	}
	p.look = p.poll
}

// alive reports whether the connection is open and silent. Closed, broken, and readable are all the same: a peer that has
// sent something nobody asked for would answer the next request with it.
func (p *probe) alive() bool {
	if p.raw == nil {
		return false
	}
	p.quiet = false
	// Control and not Read: it takes no part in deadlines.
	err := p.raw.Control(p.look)
	return err == nil && p.quiet
}

// poll asks the kernel whether a read would return at once: with octets, the end of the connection, or an error.
func (p *probe) poll(fd uintptr) {
	for {
		p.fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}
		n, err := unix.Poll(p.fds[:], 0)
		if err == unix.EINTR {
			continue
		}
		p.quiet = err == nil && n == 0
		return
	}
}
