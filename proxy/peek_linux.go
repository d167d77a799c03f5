package proxy

import (
	"net"
	"syscall"
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
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == nil && n > 0:
			found = peekData
		case err == nil, err == syscall.ECONNRESET, err == syscall.ETIMEDOUT:
			found = peekEnd
		}
	})
	return found
}
