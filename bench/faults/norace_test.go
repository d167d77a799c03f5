//go:build !race

package faults

// raceEnabled tells what measures time to leave it to the other pass.
const raceEnabled = false
