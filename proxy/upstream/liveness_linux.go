package upstream

import (
	"net"
	"syscall"
)

// probe looks whether an idle connection can be used again, without taking anything from it and without waiting.
type probe struct {
	raw   syscall.RawConn
	look  func(fd uintptr) // bound once so that a look allocates nothing
	quiet bool
}

func (p *probe) init(c net.Conn) {
	if s, ok := c.(syscall.Conn); ok {
		p.raw, _ = s.SyscallConn()
	}
	p.look = func(fd uintptr) { p.quiet = silent(fd) }
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
