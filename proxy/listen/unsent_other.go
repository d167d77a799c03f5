//go:build !linux

package listen

import "net"

// BoundUnsent bounds what the system holds of a connection to a client that reads slowly, where that is possible: on Linux.
func BoundUnsent(net.Conn) {}
