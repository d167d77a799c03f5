package stats

import (
	"sync"
	"testing"
)

// The first of each kind are kept, of few kinds, until they are forgotten.
func TestSamplesAreBounded(t *testing.T) {
	var s Samples
	add := func(o Outcome, status int, rollout string) {
		if s.Wants(o, status) {
			s.Add(Sample{Outcome: o, Status: status, Rollout: rollout})
		}
	}
	for range 100 {
		add(OutcomeServerError, 500, "a")
		add(OutcomeConnect, 0, "b")
	}
	if got := s.Of("a"); len(got) != samplesPerKind || got[0].Status != 500 {
		t.Errorf("%+v", got)
	}
	for status := range 100 {
		add(OutcomeStatus, 400+status, "a")
	}
	if n := len(s.Of("a")) + len(s.Of("b")); n != MaxSamples || s.Wants(OutcomeReset, 0) {
		t.Errorf("%d are kept", n)
	}
	s.Add(Sample{Outcome: OutcomeReset, Rollout: "a"})
	if n := len(s.Of("a")) + len(s.Of("b")); n != MaxSamples {
		t.Errorf("%d are kept", n)
	}
	s.Reset()
	if len(s.Of("a")) != 0 || !s.Wants(OutcomeServerError, 500) {
		t.Error("nothing was forgotten")
	}
}

func TestSamplesTogether(t *testing.T) {
	var s Samples
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for status := range 200 {
				if s.Wants(OutcomeServerError, status) {
					s.Add(Sample{Outcome: OutcomeServerError, Status: status})
				}
				if n == 0 && status == 100 {
					s.Reset()
				}
				_ = s.Of("")
			}
		})
	}
	wait.Wait()
	if n := len(s.Of("")); n > MaxSamples {
		t.Errorf("%d are kept", n)
	}
}
