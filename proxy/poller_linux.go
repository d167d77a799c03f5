package proxy

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller waits for many sockets at once: an epoll set of our own, beside the one of the runtime, in which every socket needs a
// goroutine to wait for it. The runtime waits for the set itself, so that it takes no thread.
type poller struct {
	set    *os.File
	raw    syscall.RawConn
	events []unix.EpollEvent // of the last look; belongs to next
	found  int
	err    error
	look   func(fd uintptr) bool // bound once
}

// newPoller makes an empty set.
func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // which is how the runtime knows that it may wait for it
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{set: os.NewFile(uintptr(fd), "epoll"), events: make([]unix.EpollEvent, 128)}
	if p.raw, err = p.set.SyscallConn(); err != nil {
		_ = p.set.Close()
		return nil, err
	}
	p.look = p.ready
	return p, nil
}

// close ends the waiting.
func (p *poller) close() { _ = p.set.Close() }

const errNoSocket constError = "not a socket"

// watch has next say once when there is something to be read on a socket, also when that is already so. A socket that is
// closed leaves the set by itself; again says that it is in the set from an earlier time.
func (p *poller) watch(conn net.Conn, at spot, again bool) error {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return errNoSocket
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	operation := unix.EPOLL_CTL_ADD
	if again {
		operation = unix.EPOLL_CTL_MOD
	}
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT,
		Fd:     int32(at.slot), Pad: int32(at.ticket),
	}
	var failed error
	err = p.raw.Control(func(set uintptr) {
		if err := raw.Control(func(fd uintptr) {
			failed = unix.EpollCtl(int(set), operation, int(fd), &event)
		}); err != nil {
			failed = err
		}
	})
	return errors.Join(err, failed)
}

// next waits for arrivals, and gives back how many it has found. It is for one goroutine.
func (p *poller) next(into []arrival) (int, error) {
	p.events = p.events[:min(cap(p.events), len(into))]
	if err := p.raw.Read(p.look); err != nil {
		return 0, err
	}
	for i, e := range p.events[:p.found] {
		into[i] = arrival{
			spot:  spot{slot: uint32(e.Fd), ticket: uint32(e.Pad)},
			ended: e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0,
		}
	}
	return p.found, p.err
}

// ready looks without waiting whether there are arrivals.
func (p *poller) ready(set uintptr) bool {
	for {
		n, err := unix.EpollWait(int(set), p.events, 0)
		if err == unix.EINTR {
			continue
		}
		p.found, p.err = max(n, 0), os.NewSyscallError("epoll_wait", err)
		return n > 0 || err != nil
	}
}
