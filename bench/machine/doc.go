// Package machine says where processes run and what they cost: it pins a process to cores and reads from /proc what it and
// its children have used of processor and memory.
//
// It does not know what the processes do. Linux only, as /proc is.
//
// Concurrency: everything is a function of its arguments; PinSelf replaces the process and belongs at the start of main.
package machine
