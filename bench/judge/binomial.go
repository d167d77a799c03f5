package main

import "math"

// interval is the exact 95 % interval of a probability (C. Clopper, E. Pearson, Biometrika 26, 1934).
func interval(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	low, high = 0, 1
	if k > 0 {
		low = solve(func(p float64) bool { return 1-atMost(k-1, n, p) > 0.025 })
	}
	if k < n {
		high = solve(func(p float64) bool { return atMost(k, n, p) < 0.025 })
	}
	return low, high
}

// solve is where a condition begins to hold, between 0 and 1.
func solve(holds func(p float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 50 {
		if mid := (low + high) / 2; holds(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return (low + high) / 2
}

// atMost is the chance of at most k successes in n trials.
func atMost(k, n int, p float64) float64 {
	if p <= 0 || k >= n {
		return 1
	}
	if p >= 1 {
		return 0
	}
	sum := 0.0
	for i := 0; i <= k; i++ {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// believable is the largest count among n that a rate explains: more has a chance below the given one.
func believable(n int, rate, chance float64) int {
	for k := range n {
		if 1-atMost(k, n, rate) < chance {
			return k
		}
	}
	return n
}
