package app

import (
	"runtime"
	"testing"
)

// There are more threads for the time of a reload, and as many as before after it: those of GOMAXPROCS, or what follows the limits of
// the machine.
func TestSpareThreads(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, set := range []string{"", "3"} {
		t.Setenv("GOMAXPROCS", set)
		runtime.SetDefaultGOMAXPROCS()
		if set != "" {
			runtime.GOMAXPROCS(3)
		}
		usual := runtime.GOMAXPROCS(0)
		back := spare()
		if n := runtime.GOMAXPROCS(0); n != usual+spareThreads {
			t.Errorf("GOMAXPROCS=%q: %d threads during a reload, usually %d", set, n, usual)
		}
		back()
		if n := runtime.GOMAXPROCS(0); n != usual {
			t.Errorf("GOMAXPROCS=%q: %d threads after it, %d before", set, n, usual)
		}
	}
}
