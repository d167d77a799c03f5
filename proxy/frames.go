package proxy

import "encoding/binary"

// What a WebSocket's frames look like (RFC 6455 section 5.2).
const (
	maxFrameHead = 14
	opcodeBits   = 0x0f
	opcodeClose  = 0x8
	maskBit      = 0x80
)

// frames follows the frames of one direction of a WebSocket, for as much as it takes to know where one ends: a frame of
// our own can only stand between two others. It looks at the heads and skips the rest.
type frames struct {
	head   [maxFrameHead]byte
	have   int    // octets of a head that is not complete
	left   uint64 // octets of the payload that have yet to come
	closed bool   // a close frame has come
}

// boundary says whether what came until now ends with a whole frame.
func (f *frames) boundary() bool { return f.have == 0 && f.left == 0 }

// follow takes the next octets.
func (f *frames) follow(p []byte) {
	for len(p) > 0 {
		p = p[f.advance(p):]
	}
}

// advance takes the next octets up to the first end of a frame, or all of them, and says how many that was.
func (f *frames) advance(p []byte) int {
	n := 0
	for n < len(p) {
		if f.left > 0 {
			step := min(f.left, uint64(len(p)-n))
			f.left -= step
			n += int(step)
		} else {
			f.head[f.have] = p[n]
			f.have++
			n++
			if f.have < headSize(f.head[:f.have]) {
				continue
			}
			f.begin()
		}
		if f.left == 0 {
			return n
		}
	}
	return n
}

// begin reads a head that is complete.
func (f *frames) begin() {
	f.closed = f.closed || f.head[0]&opcodeBits == opcodeClose
	switch short := f.head[1] &^ maskBit; short {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(f.head[2:])
	default:
		f.left = uint64(short)
	}
	f.have = 0
}

// headSize is how long the head is that begins like this; the first two octets say it.
func headSize(begun []byte) int {
	if len(begun) < 2 {
		return 2
	}
	size := 2
	switch begun[1] &^ maskBit {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if begun[1]&maskBit != 0 {
		size += 4
	}
	return size
}

// goingAway is a close frame with the status 1001 (RFC 6455 section 7.4.1): the server is leaving. A frame to an endpoint is
// masked, as every frame of a client must be (section 5.3).
func goingAway(mask *[4]byte) []byte {
	const status = 1001
	payload := binary.BigEndian.AppendUint16(nil, status)
	if mask == nil {
		return append([]byte{0x80 | opcodeClose, byte(len(payload))}, payload...)
	}
	frame := append([]byte{0x80 | opcodeClose, maskBit | byte(len(payload))}, mask[:]...)
	for i, octet := range payload {
		frame = append(frame, octet^mask[i%4])
	}
	return frame
}
