package analysis

const (
	// clumpWindows is how many windows are waited for before they count: the evidence of a canary that begins to fail is not
	// discounted by its own first failures, so a dead canary is found as fast as ever.
	clumpWindows = 6
	// clumpPrior is the weight of the belief, in bad requests, that each stands for itself.
	clumpPrior = 10
	// clumpSlack is the size of clusters that chance alone is allowed.
	clumpSlack = 1.5
	// clumpMemory is how much longer than the picture of stable clusters are remembered.
	clumpMemory = 10
)

// clumps measures whether bad requests come in clusters, and its JSON.
//
// Ten failures of one event are not ten pieces of evidence but one: which variant the event hit was drawn once. The size of the
// clusters is estimated from the counts X of bad requests in successive windows, of each variant on its own: sum of
// (X - X')^2 / 2 over sum of X is 1 for independent failures at whatever slowly changing rate, and c for separate clusters of
// c. (Differences of neighbours, as in J. von Neumann, Annals of Mathematical Statistics 1941, do not take a ramp or a
// long outage for a cluster.) The log multipliers of a request are then divided by that size: quasi-likelihood with a
// dispersion (R. Wedderburn, Biometrika 1974).
//
// Why that is valid whatever the estimate is worth: it is made of earlier windows only, and for a part 0 < h <= 1 that is known
// before the request, E[m^h] <= E[m]^h <= 1 by Jensen, so the wealth stays a supermartingale.
type clumps struct {
	// Windows are the last windows that do not count yet.
	Windows [clumpWindows]window `json:"windows"`
	// Last is the newest window that counts.
	Last window `json:"last"`
	// Squares and Bad are the sums, fading.
	Squares float64 `json:"squares"`
	Bad     float64 `json:"bad"`
}

// window is the bad requests of one window of the clock, and its JSON.
type window struct {
	At     int64  `json:"at"`
	Canary uint64 `json:"canary"`
	Stable uint64 `json:"stable"`
}

// enter begins the window of a moment. It says which part of the evidence of each request counts in it.
func (c *clumps) enter(now, length int64) float64 {
	at := floorDiv(now, length)
	if w := &c.Windows[uint64(at)%clumpWindows]; w.At != at {
		for old := c.oldest(at); old != nil; old = c.oldest(at) {
			c.retire(*old)
			*old = window{}
		}
		if c.Last.At < at-clumpWindows {
			c.fall()
		}
		*w = window{At: at}
	}
	return 1 / c.size()
}

// oldest is the first window that has waited long enough; a clock that was set back ends the waiting too.
func (c *clumps) oldest(at int64) *window {
	var first *window
	for i := range c.Windows {
		w := &c.Windows[i]
		over := w.At <= at-clumpWindows || w.At > at
		if over && w.Canary|w.Stable != 0 && (first == nil || w.At < first.At) {
			first = w
		}
	}
	return first
}

func (c *clumps) retire(w window) {
	if w.At != c.Last.At+1 { // nothing bad was between them
		c.fall()
	}
	c.Squares += (squared(w.Canary, c.Last.Canary) + squared(w.Stable, c.Last.Stable)) / 2
	c.Bad += float64(w.Canary) + float64(w.Stable)
	c.Last = w
}

// fall books that after the last window came one without anything bad.
func (c *clumps) fall() {
	c.Squares += (squared(c.Last.Canary, 0) + squared(c.Last.Stable, 0)) / 2
	c.Last = window{}
}

// count adds the bad requests of a tick to the window that was entered.
func (c *clumps) count(now, length int64, t *tally) {
	w := &c.Windows[uint64(floorDiv(now, length))%clumpWindows]
	w.Canary += t.canaryBad
	w.Stable += t.stableBad
}

// fade forgets: what was counted counts for the given part from now on.
func (c *clumps) fade(part float64) {
	c.Squares *= part
	c.Bad *= part
}

// size is how many bad requests make one piece of evidence, at least 1.
func (c *clumps) size() float64 {
	return max(1, (c.Squares+clumpPrior)/(c.Bad+clumpPrior)/clumpSlack)
}

func squared(a, b uint64) float64 {
	d := float64(a) - float64(b)
	return d * d
}
