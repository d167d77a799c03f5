package upstream

import (
	"net"
	"os"
	"syscall"

	"haldane/proxy/socket"
)

// asker sends a request on a TCP connection and reads the beginning of the answer in one turn with the poller. A read that follows a
// write would first try in vain, and then wait: here nothing is tried before there is something. That is safe because the
// poller is reset before the request leaves, so that whatever comes later is told. What came before is looked for after the reset.
type asker struct {
	raw  syscall.RawConn
	turn func(fd uintptr) bool // step, bound once so that a turn allocates nothing

	request, into []byte
	used          bool // the connection has served before: it must be open and silent
	asked
}

// asked is what came of it.
type asked struct {
	phase askPhase
	sent  int // octets of the request
	got   int // octets of the answer; none without an error is the end of the connection
	err   error
}

// askPhase is how far it has come.
type askPhase uint8

const (
	askBegun   askPhase = iota // nothing was sent
	askNoisy                   // nor will be: the connection has ended, or has something to say that nobody has asked for
	askStopped                 // it failed, or there was no room for all of the request
	askWaiting                 // all was sent
)

// newAsker makes an asker for a connection; nil for one that cannot be asked.
func newAsker(conn net.Conn) *asker {
	tcp := socket.Plain(conn)
	if tcp == nil {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	a := &asker{raw: raw}
	a.turn = a.step
	return a
}

// ask sends the request and reads into the given memory, which may be the same.
func (a *asker) ask(request, into []byte, used bool) asked {
	a.request, a.into, a.used, a.asked = request, into, used, asked{}
	if err := a.raw.Read(a.turn); err != nil {
		a.err = err
	}
	a.request, a.into = nil, nil
	return a.asked
}

// step does what can be done without waiting, and says whether that was all.
func (a *asker) step(fd uintptr) bool {
	if a.phase == askWaiting {
		return a.read(fd)
	}
	if a.used && !silent(fd) {
		a.phase = askNoisy
		return true
	}
	n, errno := socket.Write(fd, a.request)
	if a.sent = n; n == len(a.request) {
		a.phase = askWaiting
		return false
	}
	a.phase = askStopped
	if errno != 0 && errno != syscall.EAGAIN {
		a.err = os.NewSyscallError("write", errno)
	}
	return true
}

// read reads, and says whether there was something to read.
func (a *asker) read(fd uintptr) bool {
	n, errno := socket.Read(fd, a.into)
	switch errno {
	case 0:
		a.got = n
	case syscall.EAGAIN:
		return false
	default:
		a.err = os.NewSyscallError("read", errno)
	}
	return true
}

// silent says whether a socket is open and has nothing to be read.
func silent(fd uintptr) bool {
	_, errno := socket.Peek(fd)
	return errno == syscall.EAGAIN
}
