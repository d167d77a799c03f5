package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"haldane/bench/loop"
)

// redial replaces the connection. Without one, the crowd ends.
func (c *client) redial() {
	c.close()
	c.state, c.framed, c.out, c.upload = idle, false, nil, 0
	if err := c.dial(); err != nil {
		c.crowd.broken = err
	}
}

func (c *client) dial() error {
	fd, err := loop.Dial(c.crowd.spec.Address)
	if err != nil {
		return err
	}
	c.fd = fd
	if config := c.crowd.spec.TLS; config != nil {
		c.secure = tls.Client(wire{fd: fd}, config)
		if err := c.secure.Handshake(); err != nil { //nolint:noctx // the socket still blocks, and the proxy is on this machine
			return fmt.Errorf("handshake: %w", err)
		}
	}
	return c.crowd.loop.Add(fd, c)
}

func (c *client) close() {
	if c.fd >= 0 {
		c.crowd.loop.Forget(c.fd)
		_ = unix.Close(c.fd)
		c.fd, c.secure = -1, nil
	}
}

// push writes what there is room for.
func (c *client) push(data []byte) (int, error) {
	if c.secure == nil {
		return unix.Write(c.fd, data)
	}
	return c.secure.Write(data) // a request always has room
}

// pull reads what is there.
func (c *client) pull(buffer []byte) (int, error) {
	if c.secure == nil {
		return unix.Read(c.fd, buffer)
	}
	n, err := c.secure.Read(buffer)
	if errors.Is(err, later{}) {
		err = unix.EAGAIN
	}
	return n, err
}

// wire is a socket for crypto/tls. When nothing is there to be read, it says so with an error that TLS takes for a passing one.
type wire struct {
	net.Conn // nothing else is called

	fd int
}

// Read reads.
func (w wire) Read(p []byte) (int, error) {
	n, err := unix.Read(w.fd, p)
	switch {
	case loop.Again(err):
		return 0, later{}
	case err != nil:
		return 0, err
	case n == 0:
		return 0, net.ErrClosed
	}
	return n, nil
}

// Write writes.
func (w wire) Write(p []byte) (int, error) { return unix.Write(w.fd, p) }

// SetDeadline and the two others have nothing to do: a socket of a loop does not wait.
func (wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (wire) SetWriteDeadline(time.Time) error { return nil }

// later is the error of a read that would have to wait. It implements net.Error.
type later struct{}

// Error says what it is.
func (later) Error() string { return "nothing to read yet" }

// Timeout says that another try may do.
func (later) Timeout() bool { return true }

// Temporary says the same; crypto/tls asks for it.
func (later) Temporary() bool { return true }
