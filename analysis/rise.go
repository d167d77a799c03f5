package analysis

import (
	"math"
	"time"
)

// Rise is a canary that fails more often than stable from its first request on.
type Rise struct {
	// Check is the name of the check that is to find it. It compares, and is not about latency.
	Check string
	// Weight is the probability that a request goes to the canary, above 0 and below 0.95.
	Weight float64
	// Stable and Canary are the bad rates.
	Stable, Canary float64
	// PerSecond is the requests a second of both variants.
	PerSecond float64
}

// Found is after how long half of the rollouts would have found the rise, if bad requests come one by one, and how many bad
// canary requests that takes. It is not known (false) for a check of another kind or that would not fail, and without traffic.
//
// The wealth is taken to grow as in the mean: the mixture over the bets is worth, after n requests, the mean of exp(n g), with g the
// growth of each bet, half of the money being kept back (see process). Noise makes some rollouts find it sooner and others later.
// It is found with a bad request, so their number is whole, and half of the time the k-th of them has come when k-1/3 are expected.
// Below some windows the guard against bursts sets the time (see newBurst).
func (s Settings) Found(r Rise) (after time.Duration, bad uint64, known bool) {
	f := s.filled()
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Name != r.Check || c.latency() {
			continue
		}
		n, known := c.foundAfter(&r, threshold(f.Alpha, c.Share))
		perSecond := r.PerSecond * r.Weight * r.Canary
		if !known || !(perSecond > 0) {
			return 0, 0, false
		}
		k := max(math.Ceil(n*r.Canary), float64(c.Windows)) // one window is never enough, nor is one bad request
		seconds := max((k-1./3)/perSecond, c.Window.Seconds()*(float64(c.Windows)-1+guardLeast))
		return time.Duration(min(seconds, 1e9) * float64(time.Second)), uint64(max(k, seconds*perSecond)), true
	}
	return 0, 0, false
}

// foundAfter is the number of canary requests after which the mean wealth has reached a level.
func (c *Check) foundAfter(r *Rise, needed float64) (float64, bool) {
	if !learnable(r.Weight) || c.absolute() || !isShare(r.Stable) || !isShare(r.Canary) {
		return 0, false
	}
	o := odds{weight: r.Weight, centre: min(maxCentre, r.Stable), rho: c.rho(), delta: c.delta()}
	var growth [harmBets]float64
	fastest := 0.0
	for j := range growth {
		f := o.factors(harm, j)
		growth[j], _ = o.growth(&f, r.Canary, r.Stable)
		fastest = max(fastest, growth[j])
	}
	if fastest <= 0 {
		return 0, false
	}
	low, high := 0.0, harm.price(needed, even(harm)[0])/fastest // there one bet has won it alone
	for range 50 {
		n := (low + high) / 2
		sum := 0.0
		for _, g := range growth {
			sum += math.Exp(n*g) / harmBets
		}
		if math.Log((1+sum)/2) >= needed {
			high = n
		} else {
			low = n
		}
	}
	return high, true
}
