//go:build !linux

package socket

import "net"

// Wrap gives a connection back as it is: there is no cheaper way on this system.
func Wrap(conn net.Conn) net.Conn { return conn }

// Plain is the TCP connection that a connection is, and nil for one that something lies over.
func Plain(conn net.Conn) *net.TCPConn {
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}
