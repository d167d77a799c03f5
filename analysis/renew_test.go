package analysis

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Renew forgets what is named, and nothing else: the other check goes on as if nothing had happened.
func TestRenewForgetsWhatIsNamed(t *testing.T) {
	settings := Settings{Checks: []Check{
		{Name: "errors", Relative: 0.1, Absolute: 0.001, Critical: true},
		{Name: "part", Event: 1, Relative: 0.1, Absolute: 0.001, Critical: true},
	}}
	play := func(renew bool) (State, Verdict) {
		s := newSim(t, 5, settings)
		s.weight, s.stable, s.canary = 0.3, 0.01, 0.02
		for n := range 400 {
			s.now = s.now.Add(tick)
			s.blocks[0] = s.draw()
			s.blocks[0].CanaryEvents, s.blocks[0].StableEvents = []Counts{s.blocks[0].Canary}, []Counts{s.blocks[0].Stable}
			if n == 200 && renew {
				s.j.Renew(s.now, func(check string) bool { return check == "errors" })
				if k := s.j.memory.Checks[0]; k.CanaryTotal != 0 || k.Harm.Log != newProcess(even(harm)).Log || k.FailedAt != 0 {
					t.Errorf("errors still knows %+v", k)
				}
				if v := s.j.Verdict().Checks; v[0].CanaryTotal != 0 || v[1].CanaryTotal == 0 {
					t.Errorf("the verdict is of %d and %d requests", v[0].CanaryTotal, v[1].CanaryTotal)
				}
			}
			s.j.Observe(s.now, s.blocks)
		}
		return s.j.State(), s.j.Verdict()
	}
	want, _ := play(false)
	got, v := play(true)
	a, _ := json.Marshal(want.Checks[1])
	b, _ := json.Marshal(got.Checks[1])
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("the other check is another one (-want +got)\n%s", diff)
	}
	if n := v.Checks[0].CanaryTotal; n == 0 || n >= v.Checks[1].CanaryTotal {
		t.Errorf("errors has %d requests since, the other %d", n, v.Checks[1].CanaryTotal)
	}
	restored, err := Restore(settings, got)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(restored.State())
	state, _ := json.Marshal(got)
	if string(again) != string(state) {
		t.Error("it is another state after a restart")
	}
	restored.Renew(time.Unix(0, 0), func(string) bool { return true })
}
