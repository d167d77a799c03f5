// Package instructions counts what a request costs in processor instructions, and holds that against counts.txt: where
// several programs share a machine, times are noise and instructions are not.
//
// It owns the list of what is counted, the counts and their tolerance. It counts with Valgrind, which runs the
// benchmarks that stand next to the functions, and the built binary. It has no code outside its tests, and nothing in the
// product imports it.
package instructions
