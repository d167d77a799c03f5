//go:build !linux

package admin

import "net"

// peerOf knows nobody: every system has another way to ask.
func peerOf(net.Conn) peer { return peer{} }
