package admin

import (
	"net"
	"syscall"
)

// peerOf asks the kernel who is at the other end of a unix socket (SO_PEERCRED of unix(7)).
func peerOf(connection net.Conn) peer {
	local, ok := connection.(*net.UnixConn)
	if !ok {
		return peer{}
	}
	handle, err := local.SyscallConn()
	if err != nil {
		return peer{}
	}
	var found peer
	err = handle.Control(func(fd uintptr) {
		credentials, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err == nil {
			found = peer{known: true, uid: credentials.Uid, pid: credentials.Pid}
		}
	})
	if err != nil {
		return peer{}
	}
	return found
}
