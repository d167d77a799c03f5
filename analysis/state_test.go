package analysis

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func encode(t testing.TB, j *Judge) []byte {
	t.Helper()
	text, err := json.Marshal(j.State())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode(t testing.TB, text []byte) State {
	t.Helper()
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A judge that is stored and restored at random moments ends up bit for bit where one ends that was never interrupted.
func TestRestoreContinuesExactly(t *testing.T) {
	settings := Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1}
	for seed := range uint64(8) {
		s := newSim(t, seed, settings)
		s.stable, s.canary = 0.01, 0.02
		other := NewJudge(settings)
		for i, w := range []float64{0, 0.05, 0.3, 0, 0.5} {
			s.weight = w
			s.j.WeightChanged(s.now)
			other.WeightChanged(s.now)
			if i == 2 {
				s.j.NewStep(s.now)
				other.NewStep(s.now)
			}
			for range 4 * 40 {
				s.now = s.now.Add(tick)
				blocks := []Block{s.draw(), s.draw()}
				blocks[1].Stratum = 3
				for n := range blocks[0].Stable.Good {
					blocks[0].StableLatency = append(blocks[0].StableLatency, Bucket{1000 + int(n)*s.r.IntN(9), 1})
				}
				for n := range blocks[0].Canary.Good {
					blocks[0].CanaryLatency = append(blocks[0].CanaryLatency, Bucket{1010 + int(n)*s.r.IntN(9), 1})
				}
				s.j.Observe(s.now, blocks)
				other.Observe(s.now, blocks)
				if s.r.IntN(20) == 0 {
					var err error
					if other, err = Restore(settings, decode(t, encode(t, other))); err != nil {
						t.Fatal(err)
					}
				}
			}
			if a, b := encode(t, s.j), encode(t, other); !bytes.Equal(a, b) {
				t.Fatalf("seed %d weight %v: the states differ:\n%s\n%s", seed, w, a, b)
			}
			a, _ := json.Marshal(s.j.Verdict())
			b, _ := json.Marshal(other.Verdict())
			if !bytes.Equal(a, b) {
				t.Fatalf("seed %d weight %v: the verdicts differ:\n%s\n%s", seed, w, a, b)
			}
		}
	}
}

func TestStateIsACopy(t *testing.T) {
	s := newSim(t, 1, Settings{Checks: append(Defaults().Checks, LatencyChecks()...)})
	s.weight = 0.1
	s.run(10 * time.Second)
	blocks := []Block{s.draw()}
	withLatency(s, blocks)
	s.j.Observe(s.now, blocks)
	state := s.j.State()
	before, _ := json.Marshal(state)
	s.j.Observe(s.now, blocks)
	s.run(10 * time.Second)
	if after, _ := json.Marshal(state); !bytes.Equal(before, after) {
		t.Error("the state changes with the judge it was taken from")
	}
	restored, err := Restore(Defaults(), state)
	if err != nil {
		t.Fatal(err)
	}
	restored.Observe(s.now, []Block{{Stratum: 1, Weight: 0.1, Canary: Counts{Bad: 5}, Stable: Counts{Good: 5}}})
	if after, _ := json.Marshal(state); !bytes.Equal(before, after) {
		t.Error("the state changes with the judge that was made of it")
	}
}

func TestStateIsSmall(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.stable, s.canary = 0.1, 0.01, 0.01
	s.run(10 * time.Minute)
	if n := len(encode(t, s.j)); n > 4096 {
		t.Errorf("the state takes %d bytes", n)
	}
}

func TestFailSurvivesARestart(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.canary = 0.2, 1
	s.run(10 * time.Second)
	j, err := Restore(Defaults(), decode(t, encode(t, s.j)))
	if err != nil {
		t.Fatal(err)
	}
	if v := j.Verdict(); v.Class != Fail || v.Sentence() != s.j.Verdict().Sentence() {
		t.Errorf("%v: %s", v.Class, v.Sentence())
	}
}

// Evidence is about one promise: a check with another tolerance begins anew, the others go on.
func TestRestoreUnderOtherSettings(t *testing.T) {
	old := Settings{Checks: append(Defaults().Checks, LatencyChecks()...)}
	s := newSim(t, 1, old)
	s.weight, s.stable, s.canary = 0.2, 0.01, 0.02
	s.run(30 * time.Second)
	for _, c := range []struct {
		name   string
		change func(*Settings)
		kept   bool
	}{
		{"alpha", func(s *Settings) { s.Alpha = 0.05 }, true},
		{"order", func(s *Settings) { s.Checks[0], s.Checks[2] = s.Checks[2], s.Checks[0] }, true},
		{"window", func(s *Settings) { s.Checks[0].Window = 5 * time.Second }, true},
		{"absolute", func(s *Settings) { s.Checks[0].Absolute = 0.01 }, false},
		{"relative", func(s *Settings) { s.Checks[0].Relative = 1 }, false},
		{"name", func(s *Settings) { s.Checks[0].Name = "other" }, false},
		{"event", func(s *Settings) { s.Checks[0].Event = 1 }, false},
		{"muted", func(s *Settings) { s.Checks[0].Muted = true }, true},
		{"group", func(s *Settings) { s.Checks[0].Group = "other" }, true},
	} {
		settings := old
		settings.Checks = append([]Check(nil), old.Checks...)
		c.change(&settings)
		j, err := Restore(settings, s.j.State())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		kept := false
		for _, v := range j.Verdict().Checks {
			kept = kept || v.CanaryTotal > 0
		}
		if kept != c.kept {
			t.Errorf("%s: evidence kept %v, want %v", c.name, kept, c.kept)
		}
		for range 100 {
			s.now = s.now.Add(tick)
			j.Observe(s.now, []Block{s.draw()})
		}
		if err := j.memory.validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRestoreRejectsDamage(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(10 * time.Second)
	for name, damage := range map[string]func(*State){
		"version": func(s *State) { s.Version = 99 },
		"stratum": func(s *State) { s.Strata[0].Number = 9 },
		"streams": func(s *State) { s.Strata[0].Streams = nil },
		"buckets": func(s *State) { s.Strata[0].Latency = make(histogram, 3) },
		"wealth":  func(s *State) { s.Checks[0].Harm.Bets[3] = math.NaN() },
		"weight":  func(s *State) { s.Strata[0].Weight = math.Inf(1) },
		"strata":  func(s *State) { s.Strata = make([]stratum, 9) },
		"limit":   func(s *State) { s.Strata[0].Streams[0].StableLimit = -1 },
		"centre":  func(s *State) { s.Strata[0].Streams[0].Centre = 7 },
		"clumps":  func(s *State) { s.Checks[0].Clumps.Bad = -1 },
		"squares": func(s *State) { s.Checks[0].Clumps.Squares = math.NaN() },
		"seen":    func(s *State) { s.Checks[0].Seen[2].Canary = math.Inf(1) },
		"share":   func(s *State) { s.Checks[0].Seen[0].Weight = 1 },
		"event":   func(s *State) { s.Strata[0].Streams[0].Total = -1 },
		"twice":   func(s *State) { s.Strata = append(s.Strata, s.Strata[0]) },
	} {
		state := s.j.State()
		damage(&state)
		if _, err := Restore(Defaults(), state); err == nil || !strings.HasPrefix(err.Error(), "restore the judge: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var h histogram
	for _, text := range []string{`{"index":[3328],"count":[1]}`, `{"index":[-1],"count":[1]}`, `{"index":[1],"count":[]}`, `[]`} {
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

// Whatever is read from a damaged file, a judge that accepts it can be used.
func FuzzRestore(f *testing.F) {
	settings := Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1}
	s := newSim(f, 1, settings)
	s.weight, s.stable, s.canary = 0.1, 0.01, 0.01
	s.run(10 * time.Second)
	blocks := []Block{s.draw()}
	withLatency(s, blocks)
	s.j.Observe(s.now, blocks)
	f.Add(encode(f, s.j))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var state State
		if json.Unmarshal(text, &state) != nil {
			return
		}
		j, err := Restore(settings, state)
		if err != nil {
			return
		}
		for i := range 3 {
			j.Observe(s.now.Add(time.Duration(i)*3*time.Second), blocks)
			_ = j.Verdict().Sentence()
		}
		if _, err := json.Marshal(j.State()); err != nil {
			t.Fatal(err)
		}
	})
}

// A clock that was set, in the midst of it or while the process was away, changes nothing about what the judge knows.
func TestClockSet(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		steady, moved := newSim(t, 1, Defaults()), newSim(t, 1, Defaults())
		for _, s := range []*sim{steady, moved} {
			s.weight, s.stable = 0.3, 0.01
			s.run(25 * time.Second)
		}
		if by > 0 { // back is noticed without a word
			moved.j.ClockSet(by)
		}
		moved.now = moved.now.Add(by)
		for _, s := range []*sim{steady, moved} {
			s.run(2 * time.Minute)
		}
		a, b := steady.j.Verdict(), moved.j.Verdict()
		if a.Class != b.Class || b.LastCanary.Sub(a.LastCanary) != by || len(b.Hold) != len(a.Hold) {
			t.Errorf("%v: %v at %v, and %v at %v; holds %v", by, a.Class, a.LastCanary, b.Class, b.LastCanary, b.Hold)
		}
		for i := range a.Checks {
			x, y := a.Checks[i], b.Checks[i]
			if x.CanaryTotal != y.CanaryTotal || x.StableTotal != y.StableTotal || x.Powered != y.Powered {
				t.Errorf("%v: %s has seen %d and %d, not %d and %d", by, x.Name, y.CanaryTotal, y.StableTotal, x.CanaryTotal, x.StableTotal)
			}
		}
	}
}
