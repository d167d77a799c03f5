package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseBenchmarks(t *testing.T) {
	const text = `goos: linux
BenchmarkMatch/host-1     	 1000000	        21.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkMatch/host-10000 	 1000000	        40 ns/op	       0 B/op	       0 allocs/op
BenchmarkMatch/host-1     	 1000000	        22 ns/op
BenchmarkFails
PASS
`
	want := map[string][]float64{"BenchmarkMatch/host-1": {21.5, 22}, "BenchmarkMatch/host-10000": {40}}
	if diff := cmp.Diff(want, parseBenchmarks(text)); diff != "" {
		t.Error(diff)
	}
}
