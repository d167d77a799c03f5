package analysis

import "math"

const (
	// clumpWindows is how many windows are waited for before they count: the evidence of a canary that begins to fail is not
	// discounted by its own first failures, so a dead canary is found as fast as ever.
	clumpWindows = 3
	// clumpPrior is the weight of the belief, in bad requests, that each stands for itself.
	clumpPrior = 1
	// clumpChance and clumpNoise are what the estimate may be above 1 by chance: always, and divided by the root of the number
	// of windows it is made of. From clumpRise more on it is taken at its word.
	clumpChance = 0.3
	clumpNoise  = 3.
	clumpRise   = 0.6
	// clumpMemory is how much longer than the picture of stable clusters are remembered.
	clumpMemory = 10
)

// clumps measures whether bad requests come in clusters, and its JSON.
//
// Ten failures of one event are not ten pieces of evidence but one: which variant the event hit was drawn once. The size of the
// clusters is estimated from the counts X of bad requests in windows that follow each other, of each variant on its own: the sum
// of (X - X before) (X - X after) over the sum of X is 1 for independent failures, at whatever slowly changing rate, and c for
// separate clusters of c. (Differences of neighbours, as in J. von Neumann, Annals of Mathematical Statistics 1941; the
// product of the two takes neither a ramp nor the beginning or the end of an outage for a cluster.) The log multipliers of
// a request are then divided by that size: quasi-likelihood with a dispersion (R. Wedderburn, Biometrika 1974).
//
// Why that is valid whatever the estimate is worth: it is made of earlier windows only, and for a part 0 < h <= 1 that is known
// before the request, E[m^h] <= E[m]^h <= 1 by Jensen, so the wealth stays a supermartingale.
type clumps struct {
	// Windows are the last windows that do not count yet.
	Windows [clumpWindows]window `json:"windows"`
	// Before and Last are the newest windows that are over.
	Before window `json:"before"`
	Last   window `json:"last"`
	// Squares and Bad are the sums, fading.
	Squares float64 `json:"squares"`
	Bad     float64 `json:"bad"`
	// Busy is the number of windows with bad requests, fading.
	Busy float64 `json:"busy"`
}

// window is the bad requests of one window of the clock, and its JSON.
type window struct {
	At     int64  `json:"at"`
	Canary uint64 `json:"canary"`
	Stable uint64 `json:"stable"`
}

// enter begins the window of a moment. It says which part of the evidence of each request counts in it.
func (c *clumps) enter(now int64, b *burst) float64 {
	if b.clump == 0 {
		return 1
	}
	at := floorDiv(now, b.clump)
	if w := &c.Windows[uint64(at)%clumpWindows]; w.At != at {
		for old := c.oldest(at); old != nil; old = c.oldest(at) {
			c.retire(*old)
			*old = window{}
		}
		w.At = at
	}
	return 1 / c.size()
}

// oldest is the first window that has waited long enough; a clock that was set back ends the waiting too.
func (c *clumps) oldest(at int64) *window {
	var first *window
	for i := range c.Windows {
		w := &c.Windows[i]
		over := w.At <= at-clumpWindows || w.At > at
		if over && w.At != 0 && (first == nil || w.At < first.At) {
			first = w
		}
	}
	return first
}

// retire compares the last window with its two neighbours that had traffic.
func (c *clumps) retire(w window) {
	if a, b := c.Before, c.Last; a.At != 0 {
		excess := excess(b.Canary, a.Canary, w.Canary) + excess(b.Stable, a.Stable, w.Stable)
		c.Squares += excess
		c.Bad += float64(b.Canary) + float64(b.Stable)
		if excess != 0 || b.Canary|b.Stable != 0 {
			c.Busy++
		}
	}
	c.Before, c.Last = c.Last, w
}

// count adds the bad requests of a tick to the window that was entered.
func (c *clumps) count(now int64, b *burst, t *tally) {
	if b.clump == 0 {
		return
	}
	w := &c.Windows[uint64(floorDiv(now, b.clump))%clumpWindows]
	w.Canary += t.canaryBad
	w.Stable += t.stableBad
}

// fade forgets: what was counted counts for the given part from now on.
func (c *clumps) fade(part float64) {
	c.Squares *= part
	c.Bad *= part
	c.Busy *= part
}

// size is how many bad requests make one piece of evidence, at least 1.
func (c *clumps) size() float64 {
	ratio := (c.Squares + clumpPrior) / (c.Bad + clumpPrior)
	chance := 1 + clumpChance + clumpNoise/math.Sqrt(c.Busy+1)
	return max(1, min(ratio, 1+(ratio-chance)*chance/clumpRise))
}

func excess(of, before, after uint64) float64 {
	return (float64(of) - float64(before)) * (float64(of) - float64(after))
}

// possible says whether the sums are sums.
func (c *clumps) possible() bool {
	return finite(c.Squares, c.Bad, c.Busy) && min(c.Bad, c.Busy) >= 0
}
