//go:build !race

package socket_test

import (
	"net"
	"testing"

	"haldane/proxy/socket"
)

// A turn allocates nothing.
func TestTurnsAllocateNothing(t *testing.T) {
	wrapped, plain := pair(t)
	question, answer := make([]byte, 200), make([]byte, 4096)
	turn := func() { exchange(t, wrapped, plain, question, answer) }
	turn()
	if n := testing.AllocsPerRun(200, turn); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// exchange carries one piece each way.
func exchange(t testing.TB, a, b net.Conn, piece, room []byte) {
	for _, way := range [2][2]net.Conn{{a, b}, {b, a}} {
		if _, err := way[0].Write(piece); err != nil {
			t.Fatal(err)
		}
		if n, err := way[1].Read(room); err != nil || n != len(piece) {
			t.Fatal(n, err)
		}
	}
}

// BenchmarkTurns is a read and a write of a small piece, with and without telling the scheduler; each turn has one of either at
// the other end.
func BenchmarkTurns(b *testing.B) {
	wrapped, plain := pair(b)
	question, answer := make([]byte, 200), make([]byte, 4096)
	for name, conn := range map[string]net.Conn{"quick": wrapped, "net": socket.Plain(wrapped)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				exchange(b, conn, plain, question, answer)
			}
		})
	}
}
