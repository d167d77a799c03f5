package listen

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Sharing says whether others may listen on the same address.
type Sharing uint8

const (
	// Alone (the zero value) fails when somebody listens there.
	Alone Sharing = iota
	// Shared lets several processes of the same user listen there; the system spreads the connections over them
	// (SO_REUSEPORT of socket(7)).
	Shared
)

// Open listens on a TCP address.
func Open(address string, sharing Sharing) (net.Listener, error) {
	var settings net.ListenConfig
	if sharing == Shared {
		settings.Control = share
	}
	return settings.Listen(context.Background(), "tcp", address)
}

// share sets the option before the address is bound, on every socket of it.
func share(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("share the address: %w", err)
	}
	return nil
}
