package analysis

import "math"

// powerQuantile is the 80 % quantile of the normal distribution: what is called found is found in four of five cases.
const powerQuantile = 0.8416212335729143

// grossFactor and grossPoints say what a gross regression is: three times the odds of what is allowed, at least a point more.
const (
	grossFactor = 3
	grossPoints = 0.01
)

// maxExposures is the number of different weights that are told apart; more are merged.
const maxExposures = 8

// exposures is how many canary requests were compared, by the weight they were drawn with. Weight 0 stands for requests that
// were compared with no stable, those of an absolute check.
type exposures [maxExposures]exposure

// exposure is the canary requests at one weight, and its JSON.
type exposure struct {
	Weight float64 `json:"w"`
	Canary float64 `json:"n"`
}

// add counts requests. When there is no place for another weight, the nearest one takes them and becomes the mean of both.
func (x *exposures) add(weight float64, n uint64) {
	if n == 0 {
		return
	}
	nearest := &x[0]
	for i := range x {
		e := &x[i]
		if e.Canary == 0 || e.Weight == weight {
			nearest = e
			nearest.Weight = weight
			break
		}
		if math.Abs(e.Weight-weight) < math.Abs(nearest.Weight-weight) {
			nearest = e
		}
	}
	sum := nearest.Canary + float64(n)
	if nearest.Weight != weight {
		nearest.Weight += (weight - nearest.Weight) * float64(n) / sum
	}
	nearest.Canary = sum
}

// growth is the mean and the variance of what one canary request, with the stable requests that go with it, adds to the log
// wealth of a bet. Requests come at random, so the variance is the mean of the squares.
func (o odds) growth(f *factors, canaryRate, stableRate float64) (mean, variance float64) {
	c, s := canaryRate, stableRate
	mean = c*f.canaryBad + (1-c)*f.canaryGood
	variance = c*f.canaryBad*f.canaryBad + (1-c)*f.canaryGood*f.canaryGood
	if o.weight > 0 {
		per := (1 - o.weight) / o.weight
		mean += per * (s*f.stableBad + (1-s)*f.stableGood)
		variance += per * (s*f.stableBad*f.stableBad + (1-s)*f.stableGood*f.stableGood)
	}
	return mean, variance
}

// price is the log wealth that a bet of the mixture, with this stake, must win to reach a level: it has to win it alone.
func (d direction) price(needed, stake float64) float64 {
	needed -= stake
	if d == harm {
		needed += math.Ln2
	}
	return needed
}

// finder asks what would have been found by now.
type finder struct {
	seen   exposures
	odds   odds // but for the weight
	bets   [maxExposures]ladder
	armed  int // how many of the bets there are
	best   int // the bet that found something last: it is asked first
	stable float64
	needed float64
	stakes stakes
	part   float64 // of the evidence that counts, because bad requests come in clusters
	spread float64 // of numbers; negative for coins
}

// detectable is the smallest bad rate of a canary, present in all compared requests, that would have made the check fail by
// now in four of five cases; 0 when not even a canary that is always bad would have been found. Burst windows are not
// regarded. The log wealth of each bet is taken for a random walk.
func (c *Check) detectable(k *checkState, stableRate, needed float64) float64 {
	f := c.finder(k, stableRate, needed)
	f.regard(&k.Seen)
	if !f.finds(1) {
		return 0
	}
	allowed := c.allowed(stableRate)
	low, high := math.Log(1e-6), 0. // the part of what lies between the allowed rate and 1, as a logarithm
	for range 14 {
		if middle := (low + high) / 2; f.finds(allowed + (1-allowed)*math.Exp(middle)) {
			high = middle
		} else {
			low = middle
		}
	}
	return allowed + (1-allowed)*math.Exp(high)
}

// finder is what asks, once it is told what to regard. Bad requests come in clusters, and numbers have a spread, as those of the
// check so far.
func (c *Check) finder(k *checkState, stableRate, needed float64) finder {
	return finder{
		odds:   c.odds(0, min(c.most(), stableRate)),
		stable: stableRate, needed: needed, stakes: c.stakes(harm), part: 1 / k.Clumps.size(), spread: k.spread(c),
	}
}

// regard asks about these requests from now on. Bets depend on the weight alone: more requests at the same one need none.
func (f *finder) regard(seen *exposures) {
	before := f.seen
	f.seen = *seen
	for i := range f.seen {
		if f.seen[i].Canary == 0 {
			return
		}
		if i >= f.armed || f.seen[i].Weight != before[i].Weight {
			f.arm(i)
			f.armed = max(f.armed, i+1)
		}
	}
}

// arm makes the bets for an exposure.
func (f *finder) arm(i int) {
	if f.spread >= 0 {
		f.bets[i].setValues(f.at(i), harm)
	} else {
		f.bets[i].set(f.at(i), harm)
	}
}

// at is the odds of an exposure.
func (f *finder) at(i int) odds {
	o := f.odds
	o.weight = f.seen[i].Weight
	return o
}

// finds says whether a canary with this bad rate would have failed by now.
func (f *finder) finds(rate float64) bool {
	for n := range harmBets {
		j := (f.best + n) % harmBets
		mean, variance := 0.0, 0.0
		for i := range f.seen {
			if f.seen[i].Canary == 0 {
				break
			}
			m, v := f.growth(i, j, rate)
			mean += f.seen[i].Canary * m
			variance += f.seen[i].Canary * v
		}
		if f.part*(mean-powerQuantile*math.Sqrt(variance)) >= harm.price(f.needed, f.stakes[j]) {
			f.best = j
			return true
		}
	}
	return false
}

// growth is that of bet j at one weight.
func (f *finder) growth(i, j int, rate float64) (mean, variance float64) {
	if f.spread >= 0 {
		return f.at(i).valueGrowth(&f.bets[i][j], rate, f.stable, f.spread)
	}
	return f.at(i).growth(&f.bets[i][j], rate, f.stable)
}
