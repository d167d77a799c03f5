package faults

import (
	"testing"

	"haldane/bench/process"
)

// TestFaults is the matrix: one fault after the other, each on a process of its own.
func TestFaults(t *testing.T) {
	alone(t)
	binary := process.Build(t)
	for _, fault := range []struct {
		name string
		play func(t *testing.T, binary string)
	}{
		{"one origin is killed", killedOrigin},
		{"all origins are killed", allOriginsKilled},
		{"one origin hangs", hungOrigin},
		{"answers are cut at every byte", answersCutAtEveryByte},
		{"connections close between requests", connectionsClosedBetweenRequests},
		{"half of the answers are slow", slowOrigin},
		{"a hundred reloads", reloadStorm},
		{"configurations that are wrong", badReloads},
		{"stop under load", stopUnderLoad},
		{"stop with a dump", quitWithDump},
		{"few descriptors", fewDescriptors},
		{"the disk is full", fullDisk},
		{"little memory", littleMemory},
		{"the admin side is hammered", hammeredAdmin},
	} {
		t.Run(fault.name, func(t *testing.T) { fault.play(t, binary) })
	}
}
