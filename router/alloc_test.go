//go:build !race

package router

import (
	"testing"

	"haldane/config"
)

// TestNothingIsAllocated holds match and assign, in all their ways, to no allocation.
func TestNothingIsAllocated(t *testing.T) {
	for name, c := range hotCases(t) {
		c.table.Match(c.request).Assign(c.request, 1) // regular expressions learn their answers
		n := testing.AllocsPerRun(1000, func() {
			if a := c.table.Match(c.request).Assign(c.request, 1); a.Reason != c.reason {
				t.Fatalf("%s: reason %s", name, a.Reason)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestManyNetworksAllocateNothing looks at the one predicate that computes a key.
func TestManyNetworksAllocateNothing(t *testing.T) {
	list := make([]string, 0, 100)
	for i := range cap(list) {
		list = append(list, "10.0.0.0/"+string([]byte{byte('1' + i%2), byte('0' + i%10)}))
	}
	c, a := compile(t, config.Predicate{Client: list}), ask{Request: get("x", "/").from("172.16.0.1"), sticky: &sticky{}}
	if n := testing.AllocsPerRun(1000, func() { c.holds(a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
