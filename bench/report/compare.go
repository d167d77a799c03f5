package report

import (
	"math"
	"slices"
)

// Spread is what several runs say of one thing.
type Spread struct {
	// Median is the one to quote; Low and High are the smallest and the largest.
	Median, Low, High float64
	// Count is how many runs there were; with none, the rest means nothing.
	Count int
}

// SpreadOf sums up. What is no number is left out.
func SpreadOf(values []float64) Spread {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	n := len(values)
	return Spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Low: values[0], High: values[n-1], Count: n}
}

// Figure is one number of a run.
type Figure func(Run) float64

// Key says whose runs: a peer's, under a load.
type Key struct{ Peer, Load string }

// Of sums up a figure of a peer under a load.
func (s *Scenario) Of(k Key, f Figure) Spread {
	var values []float64
	for _, r := range s.Runs {
		if r.Peer == k.Peer && r.Load == k.Load {
			values = append(values, f(r))
		}
	}
	return SpreadOf(values)
}

// Ratio compares a figure of two pair by pair: both runs of a round, and then the median of the quotients. What slows a machine
// down for a while slows both.
func (s *Scenario) Ratio(of, to Key, f Figure) Spread {
	var values []float64
	for _, a := range s.Runs {
		if a.Peer != of.Peer || a.Load != of.Load {
			continue
		}
		for _, b := range s.Runs {
			if b.Peer == to.Peer && b.Load == to.Load && b.Round == a.Round {
				values = append(values, f(a)/f(b))
			}
		}
	}
	return SpreadOf(values)
}

// Cost is the figure that most is about.
func (s *Scenario) Cost() Figure { return func(r Run) float64 { return r.Cost(s.Per) } }

// Peers are those that were measured, in the order of their first run.
func (s *Scenario) Peers() []string {
	return s.names(func(r Run) string { return r.Peer })
}

// Loads are those that were put on, in the order of their first run.
func (s *Scenario) Loads() []string {
	return s.names(func(r Run) string { return r.Load })
}

func (s *Scenario) names(of func(Run) string) []string {
	var names []string
	for _, r := range s.Runs {
		if name := of(r); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
