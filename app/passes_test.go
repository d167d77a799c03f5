package app_test

import (
	"os"
	"testing"

	product "haldane/bench/process"
)

// The tests run twice: under the race detector, and without. What one pass shows need not be shown by the other, too.

// build is the binary, which is the same in both passes: its tests belong to the one without the race detector.
func build(t *testing.T) string {
	t.Helper()
	if raceEnabled {
		t.Skip("the binary is the same in the pass without the race detector")
	}
	return product.Build(t)
}

// raced leaves a test that measures nothing to the pass with the race detector, if there has been one.
func raced(t *testing.T) {
	t.Helper()
	if os.Getenv("HALDANE_RACED") != "" {
		t.Skip("it has run under the race detector")
	}
}

// unraced leaves a test whose traffic has to keep a rate for long to the pass without the race detector.
func unraced(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("under the race detector the machine is the slow one")
	}
}
