//go:build !race

package analysis

import (
	"testing"
	"time"
)

func TestTicksDoNotAllocate(t *testing.T) {
	s, blocks := busyJudge(t, Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1})
	withLatency(s, blocks)
	tick := func() {
		s.now = s.now.Add(700 * time.Millisecond) // some of them refresh
		s.j.Observe(s.now, blocks)
	}
	tick()
	if n := testing.AllocsPerRun(100, tick); n != 0 {
		t.Errorf("a busy tick allocates %v times", n)
	}
	_ = s.j.Verdict()
	if n := testing.AllocsPerRun(100, func() {
		s.j.Observe(s.now, nil)
		_ = s.j.Verdict()
	}); n != 0 {
		t.Errorf("a quiet tick allocates %v times", n)
	}
}
