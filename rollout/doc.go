// Package rollout moves one service from its stable variant to its canary, or back.
//
// It owns the life of a rollout: its identity, its phases and steps, its clock and what stops it, what a verdict or an
// operator's command does, its history, and the loop that runs all rollouts of a process. It does not own the statistics
// (analysis), the counting (stats), the bytes on the disk (store) or the traffic: it orders a split, and whoever
// implements Splitter shares the traffic out.
//
// The package has two parts. The core is pure: Step and Apply take a State, a moment and an observation or a command, and
// return the next State with the actions that lead there, in the order in which they must be done. It reads no clock, writes
// no log and starts no goroutine, so that the same input always has the same answer; testdata holds its behaviour as
// text. The shell is Manager, which feeds the core and does what it says.
//
//	pending --> progressing <--> paused (gate, undecided, operator, failed, release)
//	                 |             |
//	                 v             v
//	              baking <-----> paused
//	                 |
//	                 v
//	              promoted
//
// Every phase but promoted may become rolled_back, and rolled_back becomes progressing again by a retry, with another
// attempt. Every phase may become superseded, when the configuration names another canary or none.
//
// Rollouts may wait for each other, and be released as one (see unit). What each has to know of others comes with its
// observation; what is decided for all members of a release is decided by unite, which is as pure as Step.
//
// Two orders keep a crash on the safe side. Whatever exposes more users is stored first and done then: what the disk does
// not know never happened. Whatever exposes fewer is done first and stored then, and is done though it cannot be stored.
//
// Concurrency: the core's values may be used by one goroutine at a time. Manager may be used by all.
package rollout
