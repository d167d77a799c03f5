package proxy

import (
	"math"
	"testing"
	"time"
)

// Memory is collected when a crowd has gone, once, and not for a few connections, nor for a crowd that comes and goes all the time.
func TestCrowdsDisperse(t *testing.T) {
	all := tide{eased: math.MinInt64 / 2}
	for i, step := range []struct {
		at    time.Duration
		awake int64
		want  bool
	}{
		{0, 10, false},
		{1, 1000, false},
		{2, 0, false},
		{3, 5000, false},
		{4, 4000, false},
		{5, 626, false},
		{6, 625, true},
		{7, 0, false},
		{8, 9000, false},
		{9, 0, false},
		{65, 0, false},
		{66, 0, true},
		{500, 0, false},
	} {
		if got := all.ebbed(step.awake, int64(step.at*time.Second)); got != step.want {
			t.Errorf("step %d, %d connections: %v", i, step.awake, got)
		}
	}
}
