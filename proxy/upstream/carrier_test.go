package upstream

import "testing"

// A huge block is held only while octets come as fast as they are read, by a few at a time, and all is given back.
func TestCarrier(t *testing.T) {
	var m memory
	carriers := make([]carrier, hugeMost+2)
	for i := range carriers {
		c := &carriers[i]
		c.take(&m)
		c.fit(largeSize-1, largeSize, 1<<30)
		if len(c.octets()) != largeSize {
			t.Fatal("huge for a client that is slow")
		}
		c.fit(largeSize, largeSize, hugeSize-1)
		if len(c.octets()) != largeSize {
			t.Fatal("huge for what is nearly over")
		}
		c.fit(largeSize, largeSize, 1<<30)
		if huge := len(c.octets()) == hugeSize; huge != (i < hugeMost) {
			t.Fatalf("%d: huge is %v", i, huge)
		}
	}
	first := &carriers[0]
	first.fit(largeSize, hugeSize, 1<<30)
	if len(first.octets()) != hugeSize {
		t.Error("given back although the client is fast")
	}
	first.fit(largeSize-1, hugeSize, 1<<30)
	if len(first.octets()) != largeSize || m.hugeUsed.Load() != hugeMost-1 {
		t.Error("kept by a client that has become slow")
	}
	for i := range carriers {
		carriers[i].give()
	}
	if used := m.hugeUsed.Load(); used != 0 {
		t.Errorf("%d are in use", used)
	}
}
