package analysis

import (
	"strings"
	"testing"
	"time"
)

func eventSettings() Settings {
	return Settings{Checks: []Check{
		{Name: "errors", Relative: 0.10, Absolute: 0.001, Critical: true},
		{Name: "429", Event: 1, Absolute: 0.01, Critical: true, Words: "answered 429"},
		{Name: "left", Event: 3, Relative: 0.5, Absolute: 0.01},
		{Name: "few 404", Event: 2, Max: 0.05},
	}}
}

// withEvents is a block whose events happen with the given rates on the canary, and 2 % of the time on stable.
func (s *sim) withEvents(rates [3]float64) Block {
	b := s.draw()
	split := func(n uint64, rate float64) (c Counts) {
		for range n {
			if s.r.Float64() < rate {
				c.Bad++
			} else {
				c.Good++
			}
		}
		return c
	}
	for _, rate := range rates {
		b.CanaryEvents = append(b.CanaryEvents, split(b.Canary.total(), rate))
		b.StableEvents = append(b.StableEvents, split(b.Stable.total(), 0.02))
	}
	return b
}

func TestEventsAreStreamsOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		name  string
		rates [3]float64
		fails string
		whole Class
	}{
		{"all is well", [3]float64{0.02, 0.02, 0.02}, "", Pass},
		{"429", [3]float64{0.2, 0.02, 0.02}, "429", Fail},
		{"404", [3]float64{0.02, 0.2, 0.02}, "few 404", Marginal},
		{"clients leave", [3]float64{0.02, 0.02, 0.3}, "left", Marginal},
	} {
		s := newSim(t, 2, eventSettings())
		s.weight = 0.3
		for range 4 * 60 * 8 {
			s.now = s.now.Add(tick)
			s.j.Observe(s.now, []Block{s.withEvents(c.rates)})
		}
		v := s.j.Verdict()
		for i := range v.Checks {
			if k := &v.Checks[i]; (k.Class == Fail) != (k.Name == c.fails) {
				t.Errorf("%s: %s: %v: %s", c.name, k.Name, k.Class, k.Sentence)
			}
		}
		if v.Class != c.whole {
			t.Errorf("%s: %v: %s", c.name, v.Class, v.Text)
		}
		if got := s.j.memory.Strata[0].Streams[1].Centre; got < 0.015 || got > 0.025 {
			t.Errorf("%s: the picture of stable is %v", c.name, got)
		}
		if k := v.Checks[2]; k.StableRate < 0.015 || k.StableRate > 0.025 || k.CanaryTotal == 0 {
			t.Errorf("%s: %+v", c.name, k)
		}
	}
}

// An event is judged exactly as a failure is.
func TestEventEqualsFailure(t *testing.T) {
	of := func(event int) Settings {
		return Settings{Checks: []Check{{Name: "x", Relative: 0.1, Absolute: 0.001, Critical: true, Event: event, Words: "failed"}}}
	}
	a, b := NewJudge(of(0)), NewJudge(of(2))
	s := newSim(t, 5, Defaults())
	s.stable, s.canary = 0.02, 0.03
	for _, w := range []float64{0, 0.1, 0.5} {
		s.weight = w
		for range 4 * 60 {
			s.now = s.now.Add(tick)
			one := s.draw()
			two := Block{
				Stratum: 1, Weight: w, CanaryEvents: []Counts{{}, one.Canary}, StableEvents: []Counts{{}, one.Stable},
			}
			a.Observe(s.now, []Block{one})
			b.Observe(s.now, []Block{two})
		}
		x, y := a.Verdict().Checks[0], b.Verdict().Checks[0]
		if x != y {
			t.Fatalf("weight %v:\n%+v\n%+v", w, x, y)
		}
	}
}

// What only an event saw is traffic: a client that always gives up must not look like silence.
func TestEventsAreASignOfLife(t *testing.T) {
	j := NewJudge(eventSettings())
	now := time.Unix(1_700_000_000, 0)
	for range 120 {
		now = now.Add(time.Second)
		left := []Counts{{}, {}, {Bad: 1}}
		j.Observe(now, []Block{{Stratum: 1, Weight: 0.5, CanaryEvents: left, StableEvents: left}})
	}
	v := j.Verdict()
	if len(v.Hold) != 0 || v.Checks[2].CanaryTotal != 120 || !v.LastCanary.Equal(now) {
		t.Errorf("%+v", v)
	}
}

func TestMissingEventsAreNoData(t *testing.T) {
	s := newSim(t, 1, eventSettings())
	s.weight = 0.5
	s.run(10 * time.Minute)
	v := s.j.Verdict()
	for _, k := range v.Checks[1:] {
		if k.Class != NoData || k.CanaryTotal != 0 {
			t.Errorf("%+v", k)
		}
	}
	if v.Class != Marginal { // the error rate is fine, but not everything is
		t.Errorf("%v: %s", v.Class, v.Text)
	}
}

func TestWordsOfEvents(t *testing.T) {
	v := CheckVerdict{Class: Fail, CanaryRate: 0.1, CanaryTotal: 50, Evidence: 500, Needed: 200}
	for want, c := range map[string]Check{
		"canary 10.0 % of 50 answered 429, stable":      {Name: "429", Event: 1, Words: "answered 429"},
		`canary 10.0 % of 50 with "not found", stable`:  {Name: "not found", Event: 1},
		"canary 10.0 % of 50 failed, at most 5 % allow": {Name: "x", Max: 0.05},
	} {
		if got := c.sentence(&v, true); !strings.HasPrefix(got, want) {
			t.Errorf("%q", got)
		}
	}
}
