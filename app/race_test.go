//go:build race

package app_test

// raceEnabled tells tests that measure memory to leave it to the other pass.
const raceEnabled = true
