package analysis

import "math"

const (
	// srmPrior is the weight of the belief, in requests, that the observed share is the stated one.
	srmPrior = 1000
	// srmNeeded is the Bayes factor from which the split is said not to match its weight. It is an e-value too: under the
	// stated weight it ever gets this large with a chance below 1 in 10,000.
	srmNeeded = 1e4
	// srmSlack is the relative error of the share below which a mismatch, however certain, does not matter to the judge.
	srmSlack = 0.10
)

// srmLogBF is the log Bayes factor for "the share of the canary is another one" against "it is w": a beta mixture around
// w against w itself (sample ratio mismatch).
func srmLogBF(canary, stable, w float64) float64 {
	const c = srmPrior
	return logBeta(c*w+canary, c*(1-w)+stable) - logBeta(c*w, c*(1-w)) - canary*math.Log(w) - stable*math.Log1p(-w)
}

// srmAlarm says whether the split is proven to differ from its weight by an amount that matters.
func srmAlarm(canary, stable uint64, w float64) bool {
	if !learnable(w) || canary+stable == 0 {
		return false
	}
	share := float64(canary) / float64(canary+stable)
	return math.Abs(share/w-1) > srmSlack && srmLogBF(float64(canary), float64(stable), w) >= math.Log(srmNeeded)
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
