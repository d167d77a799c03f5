package proxy

import (
	"testing"
	"time"
)

// Memory is collected when a crowd has gone, once, and not for a few connections, nor for a crowd that comes and goes all the time.
func TestCrowdsDisperse(t *testing.T) {
	var all tide
	const quick, slow = 10 * time.Millisecond, 600 * time.Millisecond
	took := quick // of a collection
	for i, step := range []struct {
		at    time.Duration
		awake int64
		want  bool
	}{
		{0, 10, false},
		{1, 255, false},
		{2, 0, false},
		{3, 5000, false},
		{4, 4000, false},
		{5, 626, false},
		{6, 625, true},
		{7, 0, false},
		{8, 9000, false},
		{9, 0, false},
		{11, 0, false},
		{12, 0, true}, // the first one was quick; this one is slow
		{13, 9000, false},
		{70, 0, false},
		{73, 0, true},
		{500, 0, false},
	} {
		now := int64(step.at * time.Second)
		got := all.ebbed(step.awake, now)
		if got != step.want {
			t.Errorf("step %d, %d connections: %v", i, step.awake, got)
		}
		if got {
			all.rest(now, now+int64(took))
			took = slow
		}
	}
}
