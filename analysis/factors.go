package analysis

import "math"

// direction says what an e-process bets against.
type direction uint8

const (
	// harm bets against "the canary is within tolerance".
	harm direction = iota + 1
	// safe bets against "the canary is at or beyond the tolerance".
	safe
	// mild is safe with smaller bets. Metrics happen often and little is allowed, so that what is won for "within tolerance" is won
	// over many requests.
	mild
)

// milder is how many of the largest bets of safe mild leaves out, for smaller ones.
const milder = 4

const (
	harmBets = 10
	safeBets = 6
	maxBets  = harmBets
)

// bankruptcy is the largest part of the wealth that one request may cost.
const bankruptcy = 0.9

// bets is how many bets a direction spreads its wealth over.
func (d direction) bets() int {
	if d != harm {
		return safeBets
	}
	return harmBets
}

// odds are the circumstances of a bet, all known before the request they are applied to.
type odds struct {
	weight float64 // probability that a request goes to the canary, above 0 and below 1
	centre float64 // guess of stable's bad rate
	rho    float64 // allowed factor on stable's bad rate, at least 1
	delta  float64 // allowed on top of it
	tied   float64 // how bad a stable request is that is at the limit, between 0 (good) and 1; see stream.Tied
}

// kappa is the size of bet j. The sizes are a ladder of halves because the best one depends on how bad the canary is, which
// nobody knows; the smaller bets of harm find a small excess at high error rates.
func (o odds) kappa(d direction, j int) float64 {
	u := o.weight / (1 - o.weight)
	largest := max(o.delta+o.centre, u*(o.rho-o.centre))
	if d != harm {
		largest = max(1-o.delta-o.centre, u*o.centre)
	}
	return d.risk(j) / largest
}

// risk is the part of the wealth that bet j puts at stake in one request.
func (d direction) risk(j int) float64 {
	if d == mild {
		j += milder
	}
	return bankruptcy * math.Ldexp(1, -j)
}

// factors are what one request of each kind adds to the log wealth of one bet.
type factors struct {
	canaryBad, canaryGood, stableBad, stableGood, stableTied float64
	// canarySquare and stableSquare are for the square of a number; see valueFactors.
	canarySquare, stableSquare float64
}

// factors of bet j. With Y = 1 for a bad request and A = 1 for a request of the canary, the multiplier of the wealth is
//
//	1 + k (A (Y - delta - b) - (1-A) u (rho Y - b)),  u = w/(1-w),  k = +kappa for harm and -kappa for safe.
//
// Why that is valid: its conditional expectation is exactly 1 + k w (p_canary - delta - rho p_stable), at most 1 under the
// hypothesis that is bet against, whatever the past was, so the wealth is a nonnegative supermartingale, a mixture of such
// wealths is one too, and by Ville P(sup E >= 1/a) <= a. The centre b cancels: it only lowers the variance, and makes
// the test insensitive to small errors of w while b is near p_stable. Y may be anything between 0 and 1. (The inverse weight u is that of Karampatziakis,
// Mineiro and Ramdas 2021, the capital process that of Waudby-Smith and Ramdas 2023.)
func (o odds) factors(d direction, j int) factors { return o.sized(d, o.kappa(d, j)) }

// sized is the factors of a bet of size k.
func (o odds) sized(d direction, k float64) factors {
	if d != harm {
		k = -k
	}
	u := o.weight / (1 - o.weight)
	f := factors{
		canaryBad:  math.Log1p(k * (1 - o.delta - o.centre)),
		canaryGood: math.Log1p(-k * (o.delta + o.centre)),
		stableBad:  math.Log1p(-k * u * (o.rho - o.centre)),
		stableGood: math.Log1p(k * u * o.centre),
	}
	if o.tied > 0 {
		f.stableTied = math.Log1p(-k * u * (o.rho*o.tied - o.centre))
	}
	return f
}

// ladder is the factors of all bets of one direction.
type ladder [maxBets]factors

func (l *ladder) set(o odds, d direction) {
	kappa := o.kappa(d, 0)
	for j := range d.bets() {
		l[j] = o.sized(d, kappa)
		kappa /= 2 // exactly o.kappa(d, j+1)
	}
}

// tally is the new requests of one stratum for one stream. The tied ones are neither among the bad nor among the good.
type tally struct {
	canaryBad, canaryGood, stableBad, stableGood, stableTied uint64
}

func (t *tally) empty() bool { return t.canary()|t.stable() == 0 }

func (t *tally) canary() uint64 { return t.canaryBad + t.canaryGood }

func (t *tally) stable() uint64 { return t.stableBad + t.stableGood + t.stableTied }

// log is what a tally adds to the log wealth of a bet with these factors.
func (f *factors) log(t *tally) float64 {
	return float64(t.canaryBad)*f.canaryBad + float64(t.canaryGood)*f.canaryGood +
		float64(t.stableBad)*f.stableBad + float64(t.stableGood)*f.stableGood + float64(t.stableTied)*f.stableTied
}
