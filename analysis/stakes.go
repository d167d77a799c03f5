package analysis

import "math"

// stakes is how a gambler's money is spread over the sizes of the bet, from the start and at every restart: logarithms of parts
// that add up to one. The spread is part of the mixture, so any that is fixed beforehand is as valid as any other; it only says
// which regressions are found sooner, and at the cost of which.
type stakes [maxBets]float64

// even is the spread where nobody knows which size will be needed.
func even(d direction) stakes {
	var s stakes
	for j := range d.bets() {
		s[j] = -math.Log(float64(d.bets()))
	}
	return s
}

// stakes is how the money of a direction is spread.
//
// Which size of bet finds a small regression depends on the weight and on stable's bad rate, so mostly it is even. Not for a median,
// or a quantile below: at least half of stable's requests are bad by definition, the largest bet is the same at every weight up to
// 50 %, and bet j is, at small weights, the right one for a share of bad canary requests that is 0.47/2^j too high. The first three
// are for a canary of which 12 points or more too many are slow: it is found within some hundred requests, whatever they have. The
// last three, for less than a point, take 400,000 requests and more. What is hard and can be done, 1 to 3 points (a tenth more
// latency, of which a twentieth is allowed, is 2), has most of the money: 24 parts of 42, where it had a fifth.
func (c *Check) stakes(d direction) stakes {
	if d != harm || !c.latency() || c.Quantile > 0.5 {
		return even(d)
	}
	var s stakes
	for j, parts := range [harmBets]float64{2, 2, 2, 4, 8, 16, 4, 2, 1, 1} {
		s[j] = math.Log(parts / 42)
	}
	return s
}
