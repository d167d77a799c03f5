package analysis

// alone is what an absolute check bets with. It never changes: the canary is compared with a number, not with stable.
//
// With Y = 1 for a bad request of the canary and m for its maximum, the multiplier of the wealth is 1 + k (Y - m), k = +kappa for
// harm and -kappa for safe. Its conditional expectation is 1 + k (p_canary - m), at most 1 under the hypothesis that is bet
// against, whatever the past was (the capital process of Waudby-Smith and Ramdas 2023 for a bounded mean). These are the
// factors of a comparison without a stable: no inverse weight, no centre, no relative tolerance. So the mixture, the
// restarts and the guard are the same, and no draw at random is needed: every request of the canary counts.
type alone struct {
	bets  bets
	limit int // last latency bucket that is not bad
}

func newAlone(c *Check) alone {
	var a alone
	if !c.absolute() {
		return a
	}
	o := odds{delta: c.delta()}
	a.bets.harm.set(o, harm)
	a.bets.safe.set(o, safe)
	if c.latency() {
		a.limit = limitBucket(float64(c.Bound.Microseconds()), 0)
	}
	return a
}

// learnAlone bets on the canary's requests of one tick, of all blocks: also of those whose weight leaves nothing to compare.
func (j *Judge) learnAlone(i int, blocks []Block) {
	c, k, r := &j.settings.Checks[i], &j.memory.Checks[i], &j.rules[i]
	st := stream{CanaryLimit: r.alone.limit}
	var t tally
	for n := range blocks {
		b := c.tally(&blocks[n], &st)
		t.canaryBad += b.canaryBad
		t.canaryGood += b.canaryGood
	}
	if t.empty() {
		return
	}
	j.current[i] = false
	part := k.Clumps.enter(j.memory.Now, &r.burst)
	k.Clumps.count(j.memory.Now, &r.burst, &t)
	k.Harm.enter(j.memory.Now, &r.burst)
	k.Harm.bet(harm, &r.alone.bets.harm, &t, part)
	k.Safe.bet(safe, &r.alone.bets.safe, &t, part)
	k.count(&t, 0)
	k.Harm.settle(harm, r.burst.most)
	k.Safe.settle(safe, unguarded)
	k.decide(j.memory.Now, r)
}

// absolutes says whether there is a check that needs no comparison and counts for the class.
func (j *Judge) absolutes() bool {
	for i := range j.settings.Checks {
		if c := &j.settings.Checks[i]; c.absolute() && !c.Muted {
			return true
		}
	}
	return false
}
