package analysis

import "fmt"

// checkState is the memory of one check, and its JSON.
type checkState struct {
	// Name and what follows to Event say what the evidence is about: it is worth nothing for another promise.
	Name     string  `json:"name"`
	Quantile float64 `json:"quantile,omitempty"`
	Relative float64 `json:"relative"`
	Absolute float64 `json:"absolute"`
	Slack    int64   `json:"slack,omitempty"`
	Max      float64 `json:"max,omitempty"`
	Bound    int64   `json:"bound,omitempty"`
	Event    int     `json:"event,omitempty"`
	Meaning  string  `json:"meaning,omitempty"`
	// Harm and Safe are the two e-processes.
	Harm process `json:"harm"`
	Safe process `json:"safe"`
	// Clumps is how far bad requests come in clusters.
	Clumps clumps `json:"clumps"`
	// FailedAt and ShownAt are when it failed and when it was shown to be within tolerance, in Unix nanoseconds; 0 for
	// not yet. Both are final.
	FailedAt int64 `json:"failed_at"`
	ShownAt  int64 `json:"shown_at"`
	// The compared requests of the rollout.
	CanaryBad   uint64 `json:"canary_bad"`
	CanaryTotal uint64 `json:"canary_total"`
	StableBad   uint64 `json:"stable_bad"`
	StableTotal uint64 `json:"stable_total"`
	// StepCanary is the compared canary requests of the step.
	StepCanary uint64 `json:"step_canary"`
	// Expected is how many of the Matched canary requests would have been bad at stable's rate of the same time.
	Expected float64 `json:"expected"`
	Matched  float64 `json:"matched"`
	// Detectable is the smallest bad rate that would have been found by some refresh, LookedAt the CanaryTotal of that time.
	Detectable float64 `json:"detectable,omitempty"`
	// Missing is how many more canary requests it took then until a gross one would be.
	Missing  float64 `json:"missing,omitempty"`
	LookedAt uint64  `json:"looked_at,omitempty"`
	// Seen is the compared canary requests by weight.
	Seen exposures `json:"seen"`
	// Sums are the numbers of a metric that is a mean, or given in totals; Feed is what was told of it.
	Sums totals `json:"sums,omitzero"`
	Feed feed   `json:"feed,omitzero"`
}

func newCheckState(c *Check) checkState {
	return checkState{
		Name: c.Name, Quantile: c.Quantile, Relative: c.Relative, Absolute: c.Absolute, Slack: int64(c.Slack),
		Max: c.Max, Bound: int64(c.Bound), Event: c.Event, Meaning: c.Meaning,
		Harm: newProcess(c.stakes(harm)), Safe: newProcess(c.stakes(safe)),
	}
}

// sameAs says whether the evidence is about this check.
func (k *checkState) sameAs(c *Check) bool {
	return k.Name == c.Name && k.Quantile == c.Quantile && k.Relative == c.Relative && k.Absolute == c.Absolute &&
		k.Slack == int64(c.Slack) && k.Max == c.Max && k.Bound == int64(c.Bound) && k.means(c)
}

func (k *checkState) validate() error {
	if !finite(k.Harm.Log, k.Harm.Base, k.Harm.Scale, k.Safe.Log, k.Expected, k.Matched, k.Detectable, k.Missing) ||
		!finite(k.Harm.Bets[:]...) || !finite(k.Safe.Bets[:]...) ||
		!finite(k.Sums.Canary, k.Sums.CanarySquares, k.Sums.Stable, k.Sums.StableSquares, k.Feed.CanaryValue, k.Feed.StableValue,
			k.Feed.Canary.Sum, k.Feed.Stable.Sum) {
		return fmt.Errorf("check %q has no finite evidence", k.Name)
	}
	if !k.Clumps.possible() {
		return fmt.Errorf("check %q has no possible clusters", k.Name)
	}
	for _, e := range k.Seen {
		if !(e.Weight >= 0 && e.Weight < 1) || !(e.Canary >= 0) || !finite(e.Canary) {
			return fmt.Errorf("check %q has no possible counts", k.Name)
		}
	}
	return nil
}

// learn bets on the blocks of one tick. The factors of all strata multiply into the same wealth: each is a fair or losing
// bet given everything before it, also given which stratum the request is of.
func (j *Judge) learn(i int, blocks []Block) {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	switch {
	case c.latency() && j.warming() || c.fed():
		return
	case c.absolute():
		j.learnAlone(i, blocks)
		return
	case c.Metric.Kind == MetricMean:
		j.learnValues(i, blocks)
		return
	}
	var t turn
	for n := range blocks {
		j.bet(i, &blocks[n], &t)
	}
	if t.bet {
		k.Harm.settle(harm, r.burst.most)
		k.Safe.settle(safe, unguarded)
		k.decide(j.memory.Now, r)
	}
}

// turn is what has been done in one tick.
type turn struct {
	entered bool    // the windows of clusters
	part    float64 // of the evidence that counts
	bet     bool
}

// bet bets on one block. Clusters are looked for also while there is nothing to compare.
func (j *Judge) bet(i int, b *Block, t *turn) {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	s := j.stratum(b.Stratum)
	if !s.Streams[i].Known {
		return
	}
	n := c.tally(b, &s.Streams[i])
	if n.empty() {
		return
	}
	j.current[i] = false
	if !t.entered {
		t.part = k.Clumps.enter(j.memory.Now, &r.burst)
		t.entered = true
	}
	k.Clumps.count(j.memory.Now, &r.burst, &n)
	if !learnable(s.Weight) {
		return
	}
	if !t.bet {
		k.Harm.enter(j.memory.Now, &r.burst)
		t.bet = true
	}
	k.Harm.bet(harm, &s.bets[i].harm, &n, t.part)
	k.Safe.bet(safe, &s.bets[i].safe, &n, t.part)
	k.count(&n, s.Weight)
	s.Streams[i].count(&n)
}

// warming says whether latency is not judged yet: the period begins with the first request of the canary.
func (j *Judge) warming() bool {
	m := &j.memory
	return m.FirstCanary == 0 || m.Now-m.FirstCanary < int64(j.settings.WarmUp)
}

// tally is the requests of a block as this check sees them.
func (c *Check) tally(b *Block, st *stream) tally {
	if !c.latency() {
		canary, stable := c.counts(b)
		return tally{canaryBad: canary.Bad, canaryGood: canary.Good, stableBad: stable.Bad, stableGood: stable.Good}
	}
	var t tally
	t.canaryBad, t.canaryGood = splitAt(b.CanaryLatency, st.CanaryLimit)
	t.stableBad, t.stableGood = splitAt(b.StableLatency, st.StableLimit)
	if st.Tied > 0 {
		for _, v := range b.StableLatency {
			if v.Index == st.StableLimit {
				t.stableTied += v.Count
			}
		}
		t.stableGood -= t.stableTied
	}
	return t
}

// counts are the good and bad requests of a block for a check that is not about latency.
func (c *Check) counts(b *Block) (canary, stable Counts) {
	if c.Event == 0 {
		return b.Canary, b.Stable
	}
	if n := c.Event; n <= len(b.CanaryEvents) {
		canary = b.CanaryEvents[n-1]
	}
	if n := c.Event; n <= len(b.StableEvents) {
		stable = b.StableEvents[n-1]
	}
	if c.Metric.Falls {
		canary, stable = Counts{Bad: canary.Good, Good: canary.Bad}, Counts{Bad: stable.Good, Good: stable.Bad}
	}
	return canary, stable
}

func (k *checkState) count(t *tally, weight float64) {
	k.Seen.add(weight, t.canary())
	k.CanaryBad += t.canaryBad
	k.CanaryTotal += t.canary()
	k.StableBad += t.stableBad
	k.StableTotal += t.stable()
	k.StepCanary += t.canary()
}

func (st *stream) count(t *tally) {
	st.CanaryTotal += t.canary()
	st.StableBad += t.stableBad
	st.StableTied += t.stableTied
	st.StableTotal += t.stable()
}

// decide takes note of a threshold that was reached.
func (k *checkState) decide(at int64, r *rule) {
	if k.FailedAt == 0 && k.Harm.Log >= r.needed {
		k.FailedAt = at
	}
	if k.ShownAt == 0 && k.Safe.Log >= r.shown {
		k.ShownAt = at
	}
}

// close books the canary requests of a period at stable's rate of the same period. Periods and strata are never pooled:
// when the weight and the load grow together, pooled rates show a difference that is not there (Simpson's paradox).
func (k *checkState) close(s *stratum, i int, c *Check) {
	expected, matched := s.open(i, c)
	k.Expected, k.Matched = k.Expected+expected, k.Matched+matched
	st := &s.Streams[i]
	st.CanaryTotal, st.StableBad, st.StableTied, st.StableTotal, st.StableSum = 0, 0, 0, 0, 0
}

// open is how many canary requests the open period adds to Matched, and how many of them to Expected.
func (s *stratum) open(i int, c *Check) (expected, matched float64) {
	n := float64(s.Streams[i].CanaryTotal)
	rate, known := s.rate(i, c)
	if n == 0 || !known {
		return 0, 0
	}
	return n * rate, n
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
