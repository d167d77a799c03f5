package analysis

import "math"

// Sums is numbers between 0 and 1, one for each request that has one.
type Sums struct {
	// Count is how many.
	Count uint64
	// Sum and Squares are the sums of them and of their squares.
	Sum, Squares float64
}

// turned is the same with 1-z for every z.
func (s Sums) turned() Sums {
	n := float64(s.Count)
	return Sums{Count: s.Count, Sum: n - s.Sum, Squares: n - 2*s.Sum + s.Squares}
}

func (s Sums) plus(o Sums) Sums {
	return Sums{Count: s.Count + o.Count, Sum: s.Sum + o.Sum, Squares: s.Squares + o.Squares}
}

// none says that there is nothing. The sum of a request may come before its count.
func (s Sums) none() bool { return s == Sums{} }

// totals are the sums of a rollout, of both sides, and their JSON.
type totals struct {
	Canary        float64 `json:"canary,omitempty"`
	CanarySquares float64 `json:"canary_squares,omitempty"`
	Stable        float64 `json:"stable,omitempty"`
	StableSquares float64 `json:"stable_squares,omitempty"`
}

func (t *totals) add(canary, stable Sums) {
	t.Canary += canary.Sum
	t.CanarySquares += canary.Squares
	t.Stable += stable.Sum
	t.StableSquares += stable.Squares
}

// setValues is set for numbers instead of coins.
func (l *ladder) setValues(o odds, d direction) {
	for j := range d.bets() {
		l[j] = o.valueFactors(d, j)
	}
}

// valueFactors are the factors of bet j where each request has a number z between 0 and 1. The multiplier 1 + y, with
//
//	y = k (z - delta - b) for the canary, -k u (rho z - b) for stable,
//
// has the same expectation as that of a coin, so it is as fair (Waudby-Smith and Ramdas 2023). Its logarithm is not linear in z,
// and sums are all there is. But (log(1+y) - y) / y^2 grows with y, so with y of at least -c
//
//	log(1 + y) >= y - q y^2,  q = -(log(1-c) + c) / c^2
//
// (the inequality of Fan, Grama and Liu 2015 behind empirical Bernstein bounds; Howard, Ramdas, McAuliffe and Sekhon 2021). What is
// booked is the right side, which is never more than the wealth of a fair game, and is linear in the number of requests, the sum and
// the sum of squares. For small bets, where q is near 1/2, next to nothing is lost by that; and unlike rounding each number to 0 or 1
// by lot it costs no more evidence than the numbers' own spread does.
func (o odds) valueFactors(d direction, j int) factors {
	k, c := o.kappa(d, j), d.risk(j)
	if d != harm {
		k = -k
	}
	q := -(math.Log1p(-c) + c) / (c * c)
	u, m := o.weight/(1-o.weight), o.delta+o.centre
	ku := k * u
	f := factors{
		canaryGood: -k*m - q*k*k*m*m, canarySquare: -q * k * k,
		stableGood: ku*o.centre - q*ku*ku*o.centre*o.centre, stableSquare: -q * ku * ku * o.rho * o.rho,
	}
	f.canaryBad = f.canaryGood + k + 2*q*k*k*m
	f.stableBad = f.stableGood - ku*o.rho + 2*q*ku*ku*o.rho*o.centre
	return f
}

// logValues is what numbers add to the log wealth of a bet. With the factors of coins, of which squares have none, a number z counts as
// the part z of a bad request; the logarithm is concave, so that this is never too much either.
func (f *factors) logValues(canary, stable Sums) float64 {
	return float64(canary.Count)*f.canaryGood + canary.Sum*(f.canaryBad-f.canaryGood) + canary.Squares*f.canarySquare +
		float64(stable.Count)*f.stableGood + stable.Sum*(f.stableBad-f.stableGood) + stable.Squares*f.stableSquare
}

// betValues is bet for numbers.
func (p *process) betValues(d direction, l *ladder, canary, stable Sums) {
	for j := range d.bets() {
		p.Bets[j] += l[j].logValues(canary, stable)
	}
}

// sums are the numbers of a block as this check sees them.
func (c *Check) sums(b *Block) (canary, stable Sums) {
	if n := c.Metric.Values; n <= len(b.CanaryValues) {
		canary = b.CanaryValues[n-1]
	}
	if n := c.Metric.Values; n <= len(b.StableValues) {
		stable = b.StableValues[n-1]
	}
	if c.Metric.Falls {
		return canary.turned(), stable.turned()
	}
	return canary, stable
}

// learnValues bets on the numbers of one tick. Clusters are not looked for: numbers are no events that come together.
func (j *Judge) learnValues(i int, blocks []Block) {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	entered := false
	for n := range blocks {
		s := j.stratum(blocks[n].Stratum)
		canary, stable := c.sums(&blocks[n])
		if !s.Streams[i].Known || canary.none() && stable.none() || !learnable(s.Weight) {
			continue
		}
		if !entered {
			j.current[i] = false
			k.Harm.enter(j.memory.Now, &r.burst)
			entered = true
		}
		k.Harm.betValues(harm, &s.bets[i].harm, canary, stable)
		k.Safe.betValues(safe, &s.bets[i].safe, canary, stable)
		k.countValues(canary, stable, s.Weight)
		st := &s.Streams[i]
		st.CanaryTotal += canary.Count
		st.StableTotal += stable.Count
		st.StableSum += stable.Sum
	}
	if entered {
		k.Harm.settle(harm, r.burst.most)
		k.Safe.settle(safe, unguarded)
		k.decide(j.memory.Now, r)
	}
}

func (k *checkState) countValues(canary, stable Sums, weight float64) {
	k.Seen.add(weight, canary.Count)
	k.CanaryTotal += canary.Count
	k.StableTotal += stable.Count
	k.StepCanary += canary.Count
	k.Sums.add(canary, stable)
}

// spread is the variance of the numbers of a check; negative for coins, whose mean says it.
func (k *checkState) spread(c *Check) float64 {
	n := float64(k.CanaryTotal + k.StableTotal)
	if c.Metric.Kind != MetricMean || n == 0 {
		return -1
	}
	mean := (k.Sums.Canary + k.Sums.Stable) / n
	return max(0, (k.Sums.CanarySquares+k.Sums.StableSquares)/n-mean*mean)
}

// valueGrowth is growth for numbers with these means and a variance.
func (o odds) valueGrowth(f *factors, canary, stable, spread float64) (mean, variance float64) {
	one := func(good, bad, square, z float64) (float64, float64) {
		slope := bad - good
		m := good + slope*z + square*(z*z+spread)
		slope += 2 * square * z
		return m, m*m + slope*slope*spread
	}
	mean, variance = one(f.canaryGood, f.canaryBad, f.canarySquare, canary)
	if o.weight > 0 {
		per := (1 - o.weight) / o.weight
		m, v := one(f.stableGood, f.stableBad, f.stableSquare, stable)
		mean, variance = mean+per*m, variance+per*v
	}
	return mean, variance
}
