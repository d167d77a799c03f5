package proxy

import "testing"

// Every group has its turn, once in as many rounds as there are turns: in each round where they are few, in each fourth where they are many.
func TestGroupsTakeTurns(t *testing.T) {
	for _, c := range []struct{ groups, turns int }{{0, 1}, {1, 1}, {1999, 1}, {2000, 2}, {5999, 3}, {6000, 4}, {20_000, 4}} {
		looked := make([]int, c.groups)
		for round := 7; round < 7+c.turns; round++ {
			for i, step := turn(round, c.groups); i < c.groups; i += step {
				looked[i]++
			}
		}
		for i, n := range looked {
			if n != 1 {
				t.Fatalf("%d groups: number %d was looked at %d times in %d rounds", c.groups, i, n, c.turns)
			}
		}
	}
}
