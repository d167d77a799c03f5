package upstream

import (
	"testing"

	"haldane/proxy/http1"
)

// A large block is held only while octets come as fast as they are read, by a few at a time, and all is given back.
func TestCarrier(t *testing.T) {
	var m memory
	carriers := make([]carrier, uploadsMost+2)
	for i := range carriers {
		c := &carriers[i]
		c.take(&m)
		c.fit(smallSize-1, smallSize, 1<<30)
		if len(c.octets()) != smallSize {
			t.Fatal("large for a client that is slow")
		}
		c.fit(smallSize, smallSize, largeSize-1)
		if len(c.octets()) != smallSize {
			t.Fatal("large for what is nearly over")
		}
		c.fit(smallSize, smallSize, []int64{1 << 30, http1.LengthChunked}[i%2])
		if large := len(c.octets()) == largeSize; large != (i < uploadsMost) {
			t.Fatalf("%d: large is %v", i, large)
		}
	}
	for i, left := range []int64{1 << 30, http1.LengthChunked} {
		c := &carriers[i]
		c.fit(smallSize, largeSize, left)
		if len(c.octets()) != largeSize {
			t.Error("given back although the client is fast")
		}
		c.fit(smallSize-1, largeSize, left)
		if len(c.octets()) != smallSize {
			t.Error("kept by a client that has become slow")
		}
	}
	if used := m.uploads.Load(); used != uploadsMost-2 {
		t.Errorf("%d are in use, of %d two were given back", used, uploadsMost)
	}
	for i := range carriers {
		carriers[i].give()
	}
	if used := m.uploads.Load(); used != 0 {
		t.Errorf("%d are in use", used)
	}
}
