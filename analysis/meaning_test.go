package analysis

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// judgedEvents is a judge of two events that has seen 30 s: 429 on the canary, and nothing of the other.
func judgedEvents(t *testing.T) (*Judge, []Check) {
	checks := []Check{
		{Name: "errors", Absolute: 0.001, Critical: true, Meaning: "5xx"},
		{Name: "a", Event: 1, Absolute: 0.5, Critical: true, Meaning: "404"},
		{Name: "b", Event: 2, Absolute: 0.01, Critical: true, Meaning: "429"},
		{Name: "b max", Event: 2, Max: 0.9, Meaning: "429"},
	}
	s := newSim(t, 3, Settings{Checks: checks})
	s.weight, s.stable, s.canary = 0.3, 0.01, 0.01
	for range 4 * 30 {
		s.now = s.now.Add(tick)
		s.j.Observe(s.now, []Block{s.withEvents([3]float64{0.02, 0.2, 0})})
	}
	return s.j, checks
}

// Events are numbered anew when one is added or taken away. The evidence goes with what they mean.
func TestEvidenceFollowsTheMeaning(t *testing.T) {
	j, checks := judgedEvents(t)
	before := j.Verdict()
	if before.Checks[2].Class != Fail || before.Checks[1].Class == Fail {
		t.Fatalf("%+v", before.Checks)
	}
	restore := func(checks ...Check) *Judge {
		t.Helper()
		again, err := Restore(Settings{Checks: checks}, decode(t, encode(t, j)))
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	b, bMax := checks[2], checks[3]
	b.Event, bMax.Event = 1, 1
	renumbered := restore(checks[0], b, bMax).Verdict()
	for i, was := range []int{0, 2, 3} {
		x, y := before.Checks[was], renumbered.Checks[i]
		x.Needed, y.Needed, x.Sentence, y.Sentence = 0, 0, "", "" // fewer checks share alpha
		if diff := cmp.Diff(x, y); diff != "" {
			t.Errorf("%s was renumbered (-before +after):\n%s", x.Name, diff)
		}
	}
	// The state that is stored next has the new number, and the new counts are those of the new place.
	j = restore(checks[0], b, bMax)
	j.Observe(time.Unix(0, j.memory.Now).Add(time.Second), []Block{{
		Stratum: 1, Weight: 0.3, CanaryEvents: []Counts{{Bad: 7}, {Good: 5}}, StableEvents: []Counts{{Good: 2}},
	}})
	if got := j.Verdict().Checks[1]; got.CanaryBad != renumbered.Checks[1].CanaryBad+7 || j.memory.Checks[1].Event != 1 {
		t.Errorf("%+v", got)
	}
}

// The same name and number with another meaning is another check. The others go on.
func TestAnotherMeaningIsAnotherCheck(t *testing.T) {
	j, checks := judgedEvents(t)
	again := func(at int, meaning string) *Judge {
		t.Helper()
		changed := append([]Check(nil), checks...)
		changed[at].Meaning = meaning
		other, err := Restore(Settings{Checks: changed}, decode(t, encode(t, j)))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range other.Verdict().Checks {
			if kept := c.CanaryTotal > 0; kept != (i != at) {
				t.Errorf("after the meaning of %s changed, %s has %d requests", checks[at].Name, c.Name, c.CanaryTotal)
			}
		}
		return other
	}
	if s := again(0, "4xx,5xx").memory.Strata[0]; s.Bad != 0 || s.Total != 0 {
		t.Errorf("the picture of stable's failures is one of other failures: %+v", s)
	}
	if s := again(2, "503").memory.Strata[0]; s.Total == 0 || s.Streams[2].Total != 0 || s.Streams[1].Total == 0 {
		t.Errorf("the wrong picture of stable was forgotten: %+v", s)
	}
	again(1, "")
	again(3, "outcome timeout")
}
