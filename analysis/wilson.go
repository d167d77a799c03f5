package analysis

import "math"

// Wilson is the 95 % score interval of a share (E. B. Wilson, JASA 1927). It describes; nothing is decided by it, because
// it is not valid for someone who looks again and again. Without requests it is everything, 0 to 1.
func Wilson(bad, total uint64) (low, high float64) {
	if total == 0 {
		return 0, 1
	}
	const z = 1.959963984540054 // the 97.5 % quantile of the normal distribution
	n := float64(total)
	p := float64(bad) / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = max(0, middle-half), min(1, middle+half)
	if bad == 0 {
		low = 0
	}
	if bad == total {
		high = 1
	}
	return low, high
}
