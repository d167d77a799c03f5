package stats

import "testing"

// A stall is a failure of its lane at once, and dirties the service; the request is in flight until it ends.
func TestStall(t *testing.T) {
	s := NewRegistry(2).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	r := s.Reader(3, canary, stable)
	s.Dirty()
	begun := canary.Begin(1)
	canary.Stall(1, Judged(1, 3))
	stable.Stall(0, Judged(1, 3))
	stable.Stall(9, Unjudged)
	stable.Stall(9, Judged(1, 2)) // of an older revision
	if !s.Dirty() {
		t.Error("the service is not dirty")
	}
	if c, v := r.Delta(1); c != (Counts{Bad: 1}) || v != (Counts{Bad: 1}) {
		t.Errorf("judged %+v and %+v", c, v)
	}
	if got := canary.Totals(); got.Stalled != 1 || got.InFlight != 1 || got.Requests != 0 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
	if got := stable.Totals().Stalled; got != 3 {
		t.Errorf("%d of stable have stalled", got)
	}
	begun.End(Record{Outcome: OutcomeTimeout, Lane: Unjudged})
	if c, _ := r.Delta(1); c != (Counts{}) {
		t.Errorf("judged again: %+v", c)
	}
	if got := canary.Totals(); got.Stalled != 1 || got.InFlight != 0 || got.Failed != 1 {
		t.Errorf("%+v", got)
	}
}
