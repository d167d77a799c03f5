package analysis

import "math"

// maxMissing is the number of requests beyond which more of them are no help: nobody waits for so many.
const maxMissing = 1e9

// gross is the bad rate of a gross regression: three times the odds of what is allowed, and at least a point more. Odds, because
// three times a half is more than everything; for a small rate they are the rate itself.
func gross(allowed float64) float64 {
	return min(1, max(grossFactor*allowed/(1+(grossFactor-1)*allowed), allowed+grossPoints))
}

// allowed is the bad rate that the canary may have next to a stable with the given one.
func (c *Check) allowed(stableRate float64) float64 { return min(1, stableRate*c.rho()+c.delta()) }

// gross is the rate that the check must be able to find. Where stable exceeds its own quantile less often than the quantile says,
// because many of its answers take the same time, what is slow for a canary is still that share.
func (c *Check) gross(allowed float64) float64 {
	if c.latency() {
		allowed = max(allowed, 1-c.Quantile)
	}
	return gross(allowed)
}

// missing is how many more compared canary requests at a weight it takes until a rate is detectable; 0 when it is already, and
// when no number of them is enough. An absolute check needs no weight.
func (c *Check) missing(k *checkState, stableRate, needed, rate, weight float64) float64 {
	switch {
	case c.reading():
		return 0
	case c.absolute():
		weight = 0
	case !learnable(weight):
		return 0
	}
	f := c.finder(k, stableRate, needed)
	sees := func(more float64) bool {
		seen := k.Seen
		seen.add(weight, uint64(more))
		f.regard(&seen)
		return f.finds(rate)
	}
	if sees(0) {
		return 0
	}
	most := 64.
	for !sees(most) {
		if most *= 2; most > maxMissing {
			return 0
		}
	}
	least := most / 2
	if most == 64 {
		least = 0
	}
	for most-least > max(1, most/100) {
		if middle := math.Floor((least + most) / 2); sees(middle) {
			most = middle
		} else {
			least = middle
		}
	}
	return most
}

// presentWeight is the weight at which most of the canary requests that can be compared come now; 0 when none do.
func (j *Judge) presentWeight() float64 {
	weight, most := 0.0, uint64(0)
	for i := range j.memory.Strata {
		s := &j.memory.Strata[i]
		if learnable(s.Weight) && (weight == 0 || s.Canary > most) {
			weight, most = s.Weight, s.Canary
		}
	}
	return weight
}

// lookAgain is the part of the canary requests, one in so many, that must have come before it is computed anew what could have
// been seen: it is a root of their number, more or less, and not cheap.
const lookAgain = 64

// foresee says what each check could have found by now, and what it takes until that is enough.
func (j *Judge) foresee() {
	weight := j.presentWeight()
	for i := range j.memory.Checks {
		c, k := &j.settings.Checks[i], &j.memory.Checks[i]
		if c.reading() || k.LookedAt > 0 && k.CanaryTotal <= k.LookedAt+k.LookedAt/lookAgain {
			continue
		}
		k.LookedAt = k.CanaryTotal
		stable, needed := j.stableRate(i), j.rules[i].needed
		want := c.gross(c.allowed(stable))
		k.Detectable, k.Missing = c.detectable(k, stable, needed), 0
		if k.Detectable == 0 || k.Detectable > want {
			k.Missing = c.missing(k, stable, needed, want, weight)
		}
	}
}

// Exposure is compared canary requests that were drawn with one weight.
type Exposure struct {
	// Weight is the probability of the draw, above 0 and below 0.95.
	Weight float64
	// Canary is the number of canary requests.
	Canary float64
}

// Outlook is what a check can know after some exposure.
type Outlook struct {
	// Stable is the bad rate of stable that is supposed, Allowed what it allows the canary.
	Stable, Allowed float64
	// Detectable, Gross and Powered are those of a CheckVerdict.
	Detectable, Gross float64
	Powered           bool
	// Missing is how many more compared canary requests at the weight of the last exposure make it Powered; 0 when it is, or
	// when no number of them does.
	Missing float64
}

// Outlook supposes a stable with a bad rate, in the place of which a quantile puts its own, and bad requests that come one by one.
// It is not known (false) for a check that is not there, and without an exposure. Burst windows are not regarded.
func (s Settings) Outlook(check string, stableRate float64, exposed []Exposure) (Outlook, bool) {
	f := s.filled()
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Name != check || len(exposed) == 0 || !isShare(stableRate) {
			continue
		}
		switch {
		case c.absolute():
			stableRate = 0 // there is none in it
		case c.latency():
			stableRate = 1 - c.Quantile
		}
		var k checkState
		for _, e := range exposed {
			if c.absolute() {
				e.Weight = 0
			}
			k.Seen.add(e.Weight, uint64(max(0, min(e.Canary, maxMissing))))
		}
		needed := threshold(f.Alpha, c.Share)
		o := Outlook{Stable: stableRate, Allowed: c.allowed(stableRate)}
		o.Gross = c.gross(o.Allowed)
		o.Detectable = c.detectable(&k, stableRate, needed)
		o.Powered = o.Detectable > 0 && o.Detectable <= o.Gross
		if !o.Powered {
			o.Missing = c.missing(&k, stableRate, needed, o.Gross, exposed[len(exposed)-1].Weight)
		}
		return o, true
	}
	return Outlook{}, false
}
