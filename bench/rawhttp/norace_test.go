//go:build !race

package rawhttp

// raceEnabled tells what measures time to leave it to the other pass.
const raceEnabled = false
