//go:build !linux

package upstream

import (
	"net"
	"time"
)

// probe looks whether an idle connection can be used again. Without a portable way to peek it reads for a moment: a byte
// that is read is one that was never asked for, so it is not missed.
type probe struct {
	conn  net.Conn
	octet [1]byte
}

// probeTime is how long a look may take. It must be above zero: a deadline in the past fails before it reads.
const probeTime = 200 * time.Microsecond

func (p *probe) init(c net.Conn) { p.conn = c }

func (p *probe) alive() bool {
	if p.conn.SetReadDeadline(time.Now().Add(probeTime)) != nil {
		return false
	}
	n, err := p.conn.Read(p.octet[:])
	return n == 0 && timedOut(err)
}
