package main

import (
	"math"
	"slices"
)

const (
	// kayentaZ is the normal quantile of the lower end of a two-sided interval of 98 %.
	kayentaZ = 2.3263478740408408
	// rootTolerance is how exactly the ends of the interval are found, in the unit of the metric.
	rootTolerance = 1e-4
)

// hodgesLehmann is the lower end of the confidence interval of the shift of x against y, and the estimated shift, both
// found as roots of the standardised rank sum (the asymptotic interval of D. Bauer, Constructing confidence sets using
// rank statistics, JASA 67, 1972).
//
// Two series that are both constant have no variance: the shift is then taken as it is. (Kayenta adds noise a
// hundred-thousandth of the value and tests that; five points are enough for it to see the shift, four are not.)
func hodgesLehmann(x, y []float64) (lower, estimate float64) {
	xLow, xHigh := bounds(x)
	yLow, yHigh := bounds(y)
	if xLow == xHigh && yLow == yHigh {
		if separated(len(x), len(y)) < kayentaZ {
			return math.Inf(-1), xLow - yLow
		}
		return xLow - yLow, xLow - yLow
	}
	low, high := xLow-yHigh, xHigh-yLow
	r := ranker{x: x, y: y}
	from, _ := r.root(low, high, kayentaZ)
	a, b := r.root(low, high, 0)
	return from, (a + b) / 2
}

// separated is the z of two samples of which every value of one exceeds every value of the other.
func separated(n, m int) float64 {
	a, b := float64(n), float64(m)
	return (a*b/2 - 0.5) / math.Sqrt(a*b/12*(a+b+1))
}

// ranker computes rank sums of shifted samples.
type ranker struct {
	x, y   []float64
	values []ranked
}

// ranked is a value and the sample it is of.
type ranked struct {
	value float64
	mine  bool
}

// root encloses the shift at which z falls to a level; z falls as the shift grows. With many ties it falls in one leap, most
// often at zero, and which side of it a solver ends on is luck: the caller takes the side that is kinder to the canary.
func (r *ranker) root(low, high, level float64) (from, to float64) {
	if r.z(low) <= level {
		return low, low
	}
	if r.z(high) >= level {
		return high, high
	}
	for high-low > rootTolerance {
		mid := (low + high) / 2
		if r.z(mid) > level {
			low = mid
		} else {
			high = mid
		}
	}
	return low, high
}

// z is the standardised rank sum of x - shift among y, corrected for continuity and ties.
func (r *ranker) z(shift float64) float64 {
	r.values = r.values[:0]
	for _, v := range r.x {
		r.values = append(r.values, ranked{v - shift, true})
	}
	for _, v := range r.y {
		r.values = append(r.values, ranked{v, false})
	}
	slices.SortFunc(r.values, func(a, b ranked) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	sum, ties := rankSum(r.values)
	n, m := float64(len(r.x)), float64(len(r.y))
	d := sum - n*(n+1)/2 - n*m/2
	variance := n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
	if variance <= 0 {
		return 0
	}
	switch {
	case d > 0:
		d -= 0.5
	case d < 0:
		d += 0.5
	}
	return d / math.Sqrt(variance)
}

// rankSum is the sum of the ranks of one sample, ties given their mean rank, and the sum of t^3-t over groups of t ties.
func rankSum(sorted []ranked) (sum, ties float64) {
	for i := 0; i < len(sorted); {
		j, mine := i, 0
		for j < len(sorted) && sorted[j].value == sorted[i].value {
			if sorted[j].mine {
				mine++
			}
			j++
		}
		t := float64(j - i)
		sum += float64(mine) * (float64(i+1) + float64(j)) / 2
		ties += t*t*t - t
		i = j
	}
	return sum, ties
}
