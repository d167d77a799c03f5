package proxy

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// frame is one frame of a WebSocket with this payload.
func frame(opcode byte, size int, masked bool) []byte {
	var mask byte
	if masked {
		mask = maskBit
	}
	out := []byte{0x80 | opcode}
	switch {
	case size < 126:
		out = append(out, mask|byte(size))
	case size < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, mask|126), uint16(size))
	default:
		out = binary.BigEndian.AppendUint64(append(out, mask|127), uint64(size))
	}
	if masked {
		out = append(out, 1, 2, 3, 4)
	}
	return append(out, bytes.Repeat([]byte{0x88}, size)...)
}

// Frames are followed through any cut of the stream, and advance stops at each of their ends.
func TestFramesAreFollowed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 125, 126, 127, 300, 65535, 65536, 70000}
	for range 300 {
		var stream []byte
		ends := map[int]bool{}
		for range 1 + rng.IntN(8) {
			stream = append(stream, frame(byte(rng.IntN(3)), sizes[rng.IntN(len(sizes))], rng.IntN(2) == 0)...)
			ends[len(stream)] = true
		}
		var f frames
		for at := 0; at < len(stream); {
			piece := stream[at:min(len(stream), at+1+rng.IntN(40000))]
			n := f.advance(piece)
			at += n
			if f.boundary() != ends[at] {
				t.Fatalf("at %d of %d: boundary %v, want %v", at, len(stream), f.boundary(), ends[at])
			}
			if n < len(piece) && !f.boundary() {
				t.Fatalf("at %d: stopped in the middle of a frame", at)
			}
		}
		if f.closed {
			t.Fatal("a payload was taken for a close frame")
		}
		f.follow(append(frame(0, 5, true), frame(opcodeClose, 2, false)...))
		if !f.closed || !f.boundary() {
			t.Fatal("the close frame was missed")
		}
	}
}

func TestGoingAwayIsOneFrame(t *testing.T) {
	for _, mask := range []*[4]byte{nil, {9, 8, 7, 6}} {
		got := goingAway(mask)
		var f frames
		if n := f.advance(got); n != len(got) || !f.boundary() || !f.closed {
			t.Errorf("%x is not one close frame", got)
		}
		payload := bytes.Clone(got[len(got)-2:])
		for i := range payload {
			if mask != nil {
				payload[i] ^= mask[i]
			}
		}
		if binary.BigEndian.Uint16(payload) != 1001 {
			t.Errorf("%x says %x", got, payload)
		}
	}
}

// Whatever comes, advance neither fails nor stands still, and does not depend on how the octets come.
func FuzzFrames(f *testing.F) {
	f.Add(frame(1, 300, true), 3)
	f.Add([]byte{0x88, 0x80, 1, 2, 3, 4, 0x81}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		var whole, parts frames
		whole.follow(stream)
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+max(0, cut)%7)
			parts.follow(rest[:n])
			rest = rest[n:]
		}
		if whole != parts {
			t.Errorf("%+v and %+v", whole, parts)
		}
	})
}
