package proxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"haldane/proxy/socket"
)

// peek looks, without taking it and without waiting, what has arrived that nobody has read.
func peek(conn net.Conn) peeked {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return peekNothing
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return peekNothing
	}
	found := peekNothing
	_ = raw.Control(func(fd uintptr) {
		n, errno := socket.Peek(fd)
		switch {
		case errno == 0 && n > 0:
			found = peekData
		case errno == 0, errno == syscall.ECONNRESET, errno == syscall.ETIMEDOUT:
			found = peekEnd
		}
	})
	return found
}

// hungUp says whether the peer has closed its sending side or reset the connection, also when something it sent before is
// still to be read.
func hungUp(conn net.Conn) bool {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	over := false
	_ = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(look, 0)
		over = err == nil && n > 0 && look[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
	})
	return over
}
