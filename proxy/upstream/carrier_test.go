package upstream

import (
	"testing"

	"haldane/proxy/http1"
)

// A large block is held only while octets come as fast as they are read, by a few at a time, and all is given back.
func TestCarrier(t *testing.T) {
	var m memory
	carriers := make([]carrier, largeMost+2)
	for i := range carriers {
		c := &carriers[i]
		c.take(&m)
		c.fit(smallSize-1, smallSize, 1<<30)
		if len(c.octets()) != smallSize {
			t.Fatal("large for a client that is slow")
		}
		c.fit(smallSize, smallSize, smallSize)
		if len(c.octets()) != smallSize {
			t.Fatal("large for what is nearly over")
		}
		c.fit(smallSize, smallSize, []int64{smallSize + 1, http1.LengthChunked}[i%2])
		if large := len(c.octets()) == LargePiece; large != (i < largeMost) {
			t.Fatalf("%d: large is %v", i, large)
		}
	}
	first := &carriers[0]
	for n, got := range []int{smallSize - 1, smallSize, 1, LargePiece, 1} { // what a reader in between had left is short, too
		if first.fit(got, LargePiece, 1<<30); len(first.octets()) != LargePiece {
			t.Fatalf("given back after read %d, although the client is fast", n)
		}
	}
	if first.fit(1, LargePiece, 1<<30); len(first.octets()) != smallSize || m.largeUsed.Load() != largeMost-1 {
		t.Error("kept by a client that has become slow")
	}
	for i := range carriers {
		carriers[i].give()
	}
	if used := m.largeUsed.Load(); used != 0 {
		t.Errorf("%d are in use", used)
	}
}
