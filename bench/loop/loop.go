// Package loop waits for many sockets at once in one thread, as the load generator and the upstream of the benchmarks need
// to be cheaper than what they measure: one system call to read, one to write, and one wait for many.
//
// It owns the epoll instance and raw non-blocking sockets of 127.0.0.1; what is said on them is its users' business.
//
// Concurrency: a Loop, and everything added to it, belongs to one goroutine. Hand it on with happens-before only.
package loop

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Handler is told that a socket can be read or written. It must read and write until the kernel says that there is no more:
// it is told of changes only (edge-triggered).
type Handler interface {
	Ready()
}

// Loop is a set of sockets that are waited for.
type Loop struct {
	epoll    int
	handlers []Handler // by descriptor
	events   [256]unix.EpollEvent
}

// New makes an empty set. Close it.
func New() (*Loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a set of sockets: %w", err)
	}
	return &Loop{epoll: fd}, nil
}

// Close ends the waiting; the sockets are their owners' to close.
func (l *Loop) Close() error { return unix.Close(l.epoll) }

// Add takes a socket in, which does not block from then on. Forget it before it is closed.
func (l *Loop) Add(fd int, handler Handler) error {
	for len(l.handlers) <= fd {
		l.handlers = append(l.handlers, nil)
	}
	l.handlers[fd] = handler
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("wait for a socket: %w", err)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("wait for a socket: %w", err)
	}
	return nil
}

// Poll waits until something has happened, for so long at most, and tells the handlers. Zero does not wait at all; anything
// else is rounded up to milliseconds.
func (l *Loop) Poll(most time.Duration) error {
	n, err := unix.EpollWait(l.epoll, l.events[:], int((most+time.Millisecond-1)/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for sockets: %w", err)
	}
	for i := range max(n, 0) {
		if handler := l.handlers[l.events[i].Fd]; handler != nil {
			handler.Ready()
		}
	}
	return nil
}

// Forget ends what is said to a handler. Call it before closing a socket: its number is soon another's.
func (l *Loop) Forget(fd int) { l.handlers[fd] = nil }

// Dial connects to an address of IPv4. The socket blocks until Add is called.
func Dial(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make a socket: %w", err)
	}
	// So that a server that hangs stops nobody for ever: connecting, and a handshake before Add.
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &unix.Timeval{Sec: 10}); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("prepare a socket: %w", err)
		}
	}
	if err := connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connect to %v: %w", to, err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("prepare a socket: %w", err)
	}
	return fd, nil
}

// connect waits for the connection. A signal ends the wait and not the attempt, and asking again goes on with it (connect(2), EINTR).
func connect(fd int, to unix.Sockaddr) error {
	for {
		switch err := unix.Connect(fd, to); err {
		case unix.EINTR:
		case unix.EISCONN:
			return nil
		default:
			return err
		}
	}
}

// Listen opens a port at an address of IPv4; port 0 is any. It returns the socket and where it is.
func Listen(at netip.AddrPort) (int, netip.AddrPort, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, at, fmt.Errorf("make a socket: %w", err)
	}
	fail := func(err error) (int, netip.AddrPort, error) {
		_ = unix.Close(fd)
		return -1, at, fmt.Errorf("listen at %v: %w", at, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fail(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return fail(err)
	}
	if err := unix.Listen(fd, 4096); err != nil {
		return fail(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return fail(err)
	}
	if v4, ok := name.(*unix.SockaddrInet4); ok {
		at = netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), uint16(v4.Port))
	}
	return fd, at, nil
}

// Accept takes the next connection of a listener; ok is false when there is none now.
func Accept(listener int) (fd int, ok bool, err error) {
	fd, _, err = unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	switch {
	case Again(err) || errors.Is(err, unix.ECONNABORTED):
		return -1, false, nil
	case err != nil:
		return -1, false, fmt.Errorf("accept: %w", err)
	}
	return fd, true, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
}

// Again says whether a read or a write has to wait.
func Again(err error) bool { return err == unix.EAGAIN }
