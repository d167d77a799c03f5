package proxy

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// maxRequestID bounds a request id that is taken over from a client: it is copied into logs and sent on.
const maxRequestID = 128

// saneRequestID says whether a client's request id is kept: visible ASCII only, of bounded length.
func saneRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestID {
		return false
	}
	for _, c := range id {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	return true
}

// appendRequestID appends a fresh id, a UUID of version 7 (RFC 9562 section 5.7): it sorts by time, which helps whoever
// stores logs by id. The 74 random bits come from the caller.
func appendRequestID(dst []byte, now time.Time, random [2]uint64) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|random[0]&0xffff)
	binary.BigEndian.PutUint64(id[8:], random[1])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	var digits [2 * len(id)]byte
	hex.Encode(digits[:], id[:])
	dst = append(dst, digits[:8]...)
	for at := 8; at < 20; at += 4 {
		dst = append(append(dst, '-'), digits[at:at+4]...)
	}
	return append(append(dst, '-'), digits[20:]...)
}

// makeRequestID makes an id for a request that brought none.
func (x *exchange) makeRequestID() []byte {
	x.kept.id = appendRequestID(x.kept.id[:0], x.started, [2]uint64{rand.Uint64(), rand.Uint64()})
	return x.kept.id
}
