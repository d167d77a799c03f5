// Package report is what a comparison found out, as numbers: to be stored as JSON, and to be written as tables, as pictures
// and beside the targets.
//
// It owns the figures and what is computed from them: medians, spreads, and ratios of runs of the same round. It measures
// nothing.
//
// Concurrency: a Report belongs to one goroutine.
package report
