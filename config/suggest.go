package config

import (
	"maps"
	"slices"
	"strings"
)

// listed is the largest number of alternatives that a message lists.
const listed = 12

// hint ends the message about an unknown word: the word that was probably meant, or else all there are, or nothing when
// they are too many.
func hint(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return ` (did you mean "` + best + `"?)`
	}
	if len(known) == 0 || len(known) > listed {
		return ""
	}
	return "; there is " + strings.Join(known, ", ")
}

// nearest is the known word that differs from word by the fewest typing mistakes, or nothing when all are too far away
// to be meant: one mistake in three letters is the limit, which leaves "v1" and "v2" apart.
func nearest(word string, known []string) string {
	best, least := "", len(word)/3+1
	for _, k := range known {
		// Lengths that differ by more cannot be near, and need no table.
		if abs(len(k)-len(word)) >= least {
			continue
		}
		if d := mistakes(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// mistakes is the optimal string alignment distance: insertions, deletions, substitutions and swaps of two neighbours.
func mistakes(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }

// names is the sorted keys of a map.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
