package listen

import (
	"errors"
	"io"
	"net"
)

// ErrSilent says that a connection was closed before its first byte, as some health checks do.
const ErrSilent constError = "closed before the PROXY protocol header"

// firstRead is how much is read at once: a header without many extensions, and often the first of what follows.
const firstRead = 1024

// ReadHeader takes the PROXY protocol header from a connection, within its read deadline. What was read behind the header is
// read again from the connection that comes back, which is the same one when there is nothing of it.
func ReadHeader(conn net.Conn) (Header, net.Conn, error) {
	buffer := make([]byte, 0, firstRead)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(make([]byte, 0, binaryFixed+binaryLongest), buffer...)
		}
		n, err := conn.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if n > 0 {
			header, size, bad := ParseHeader(buffer)
			switch {
			case bad == nil && size < len(buffer):
				return header, &ahead{Conn: conn, rest: buffer[size:]}, nil
			case bad == nil:
				return header, conn, nil
			case !errors.Is(bad, ErrIncomplete):
				return Header{}, nil, bad
			}
		}
		switch {
		case err == io.EOF && len(buffer) == 0:
			return Header{}, nil, ErrSilent
		case err != nil:
			return Header{}, nil, err
		}
	}
}

// ahead is a connection from which more was read than was asked for.
type ahead struct {
	net.Conn
	rest []byte
}

// Read gives what was read ahead first.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		return a.Conn.Read(p)
	}
	n := copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		a.rest = nil
	}
	return n, nil
}
