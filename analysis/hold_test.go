package analysis

import (
	"testing"
	"time"
)

func wantHold(t *testing.T, j *Judge, want ...HoldReason) []Hold {
	t.Helper()
	got := j.Verdict().Hold
	same := len(got) == len(want)
	for i := range got {
		same = same && got[i].Reason == want[i] && got[i].Sentence != ""
	}
	if !same {
		t.Errorf("holds %+v, want %v", got, want)
	}
	return got
}

func TestSilenceHolds(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(time.Minute)
	wantHold(t, s.j)
	class := s.j.Verdict().Class
	last := s.now
	s.j.Observe(last.Add(4*time.Second), nil)
	wantHold(t, s.j)
	s.j.Observe(last.Add(6*time.Second), nil)
	if h := wantHold(t, s.j, HoldNoTraffic); len(h) == 1 && !h[0].Since.Equal(last) {
		t.Errorf("since %v, want %v", h[0].Since, last)
	}
	s.j.Observe(last.Add(time.Hour), []Block{{Stratum: 1, Weight: 0.1}})
	if h := wantHold(t, s.j, HoldNoTraffic); len(h) == 1 && h[0].Sentence != "no requests for 60 min" {
		t.Errorf("%q", h[0].Sentence)
	}
	if now := s.j.Verdict().Class; now != class {
		t.Errorf("silence turned %v into %v", class, now)
	}
	s.now = last.Add(time.Hour)
	s.tick()
	wantHold(t, s.j)
}

func TestSilenceFromTheStartHolds(t *testing.T) {
	j := NewJudge(Defaults())
	wantHold(t, j)
	j.Observe(time.Unix(1000, 0), nil)
	wantHold(t, j)
	j.Observe(time.Unix(1006, 0), nil)
	wantHold(t, j, HoldNoTraffic)
}

func TestCanaryWithoutTrafficHolds(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(10 * time.Second)
	last := s.now
	for s.now.Sub(last) < 59*time.Second {
		s.now = s.now.Add(tick)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.1, Stable: Counts{Good: 1}}})
	}
	wantHold(t, s.j)
	s.now = last.Add(61 * time.Second)
	s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.1, Stable: Counts{Good: 1}}})
	wantHold(t, s.j, HoldNoCanaryTraffic)

	// Without a weight the canary is meant to get nothing.
	for range 70 {
		s.now = s.now.Add(time.Second)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0, Stable: Counts{Good: 1}}})
	}
	wantHold(t, s.j)

	// The requests before the last one of the canary do not count.
	s = newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(2 * time.Minute)
	for range 61 {
		s.now = s.now.Add(time.Second)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.1, Stable: Counts{Good: 1}}})
	}
	wantHold(t, s.j)

	// At a small weight a minute without the canary is chance.
	s = newSim(t, 1, Defaults())
	for range 120 {
		s.now = s.now.Add(time.Second)
		s.j.Observe(s.now, []Block{{Stratum: 1, Weight: 0.01, Stable: Counts{Good: 1}}})
	}
	wantHold(t, s.j)
}

func TestSplitMismatchHolds(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight = 0.1
	s.run(2 * time.Minute)
	wantHold(t, s.j)
	s.weight = 0.15
	for range 4 * 120 {
		s.now = s.now.Add(tick)
		b := s.draw()
		b.Weight = 0.1 // what the caller believes
		s.j.Observe(s.now, []Block{b})
	}
	wantHold(t, s.j, HoldSplitMismatch)
	s.j.NewStep(s.now)
	wantHold(t, s.j)
}

// The share of another weight must not be held against the one of now.
func TestSplitIsCheckedForEachWeight(t *testing.T) {
	s := newSim(t, 1, Defaults())
	for _, w := range []float64{0.01, 0.5, 0.05} {
		s.weight = w
		s.run(time.Minute)
		wantHold(t, s.j)
	}
}

func TestSmallMismatchDoesNotMatter(t *testing.T) {
	for _, c := range []struct {
		canary, stable uint64
		want           bool
	}{
		{1_050_000, 8_950_000, false}, // proven beyond doubt, and harmless
		{1_200_000, 8_800_000, true},
		{13, 87, false},
		{0, 10_000, true},
		{0, 0, false},
	} {
		if got := srmAlarm(c.canary, c.stable, 0.1); got != c.want {
			t.Errorf("%d of %d at 10 %%: alarm %v", c.canary, c.canary+c.stable, got)
		}
	}
}

func TestOldSicknessIsForgotten(t *testing.T) {
	s := newSim(t, 1, Defaults())
	s.weight, s.stable, s.canary = 0.1, 0.4, 0.4
	s.run(20 * time.Second)
	wantHold(t, s.j, HoldStableSick)
	s.j.Observe(s.now.Add(15*time.Second), nil)
	wantHold(t, s.j, HoldNoTraffic)
}
