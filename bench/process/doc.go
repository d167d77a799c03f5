// Package process runs Haldane as its users do, the built binary in a process of its own, for tests that need to see what
// only a process can show: signals, limits, descriptors and memory.
//
// It owns building, starting, stopping and measuring the process. It does not own what is sent through it, nor the
// configuration. Nothing in the product imports it.
//
// Concurrency: a Process may be used by many goroutines, except that Stop and Kill belong to the test that started it.
package process
