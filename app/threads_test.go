package app_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A reload of many services collects garbage once, at its end.
func TestReloadCollectsAtItsEnd(t *testing.T) {
	origin := newBackend(t, "v1")
	var text strings.Builder
	text.WriteString(preamble + "services:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  s%d: {match: [{host: s%d.test}], variants: {v1: {endpoints: [%q]}}}\n", i, i, origin.address)
	}
	i := launch(t, text.String())
	for range 3 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := i.Reload(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		forced, all := after.NumForcedGC-before.NumForcedGC, after.NumGC-before.NumGC
		if forced != 1 || all != 1 {
			t.Errorf("%d collections, %d of them ordered; a reload makes %d MiB beside the %d that live",
				all, forced, (after.TotalAlloc-before.TotalAlloc)>>20, before.HeapAlloc>>20)
		}
	}
}
