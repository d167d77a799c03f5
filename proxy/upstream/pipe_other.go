//go:build !linux

package upstream

import (
	"errors"
	"net"
)

// Pipe would carry octets from one connection to another without bringing them into the process. There are none on this system.
type Pipe struct{}

// NewPipe fails.
func NewPipe() (*Pipe, error) { return nil, errors.ErrUnsupported }

// Held returns 0.
func (*Pipe) Held() int { return 0 }

// Close does nothing.
func (*Pipe) Close() {}

// Drain fails.
func (*Pipe) Drain(*net.TCPConn) error { return errors.ErrUnsupported }

// Fills returns false.
func (*Response) Fills() bool { return false }

// Fill fails.
func (*Response) Fill(*Pipe) (int, error) { return 0, errors.ErrUnsupported }
