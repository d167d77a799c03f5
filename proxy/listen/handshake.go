package listen

import (
	"crypto/tls"
	"errors"
)

// CheckHandshake says in which way a handshake that failed did so.
func CheckHandshake(err error) HandshakeFailure {
	var record tls.RecordHeaderError
	switch {
	case err == nil:
		return HandshakeDone
	case errors.As(err, &record) && plainHTTP(record.RecordHeader):
		return HandshakePlainHTTP
	}
	return HandshakeFailed
}

// HandshakeFailure is the end of a handshake.
type HandshakeFailure uint8

const (
	// HandshakeDone is a connection that is secured.
	HandshakeDone HandshakeFailure = iota
	// HandshakeFailed is any other end but the next.
	HandshakeFailed
	// HandshakePlainHTTP is a client that speaks HTTP without TLS; it understands an answer.
	HandshakePlainHTTP
)

// plainHTTP says whether what should have been the head of a TLS record is the beginning of a request.
func plainHTTP(head [5]byte) bool {
	for _, method := range [...]string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET"} {
		if string(head[:]) == method {
			return true
		}
	}
	return false
}
