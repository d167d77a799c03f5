package listen

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsentMost is how much the system holds of an answer that it has not sent yet, in bytes for each connection. What is sent and
// not acknowledged is not bounded by it, so it costs no throughput.
const unsentMost = 256 << 10

// BoundUnsent bounds what the system holds of a connection to a client that reads slowly (TCP_NOTSENT_LOWAT of tcp(7); a listener
// cannot pass it on). Otherwise it takes up to some MiB for each of them, and when there are many, all connections of the machine
// suffer: it throws away what arrives (tcp_mem of tcp(7)), and requests wait until that is sent again. It does nothing for
// connections other than TCP.
func BoundUnsent(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = socket.Control(func(fd uintptr) {
		// A system that does not know it holds more, and that is all.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMost)
	})
}
