//go:build !race

package analysis

// raceEnabled tells simulations to leave themselves to the other pass.
const raceEnabled = false
