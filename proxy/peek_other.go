//go:build !linux

package proxy

import "net"

// peek cannot tell here.
func peek(net.Conn) peeked { return peekNothing }

// hungUp cannot tell here.
func hungUp(net.Conn) bool { return false }
