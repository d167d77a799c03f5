//go:build !race

package stats

import "testing"

func TestCountingPartsAllocatesNothing(t *testing.T) {
	s := NewRegistry(0).Service("shop")
	v := s.Variant("v2")
	r := s.Reader(1, v, s.Variant("v1"))
	v.CountPart(0, Judged(1, 1), 8, OutcomeOK) // the first makes the cells
	if n := testing.AllocsPerRun(1000, func() {
		v.CountPart(0, Judged(1, 1), 8, OutcomeOK)
		r.Parts(1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
