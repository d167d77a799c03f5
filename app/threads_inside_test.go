package app

import (
	"runtime"
	"runtime/debug"
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

// percentOfGarbage is the collector's setting.
func percentOfGarbage() int {
	n := debug.SetGCPercent(100)
	debug.SetGCPercent(n)
	return n
}

// Garbage is collected later for the time of a reload, and as before after it.
func TestCollectLater(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for usual, during := range map[int]int{100: reloadGarbage, 50: reloadGarbage, 1000: 1000, -1: -1} {
		debug.SetGCPercent(usual)
		back := collectLater()
		if n := percentOfGarbage(); n != during {
			t.Errorf("GOGC=%d: %d during a reload, expected %d", usual, n, during)
		}
		back()
		if n := percentOfGarbage(); n != usual {
			t.Errorf("GOGC=%d: %d after a reload", usual, n)
		}
	}
}
