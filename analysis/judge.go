package analysis

import (
	"fmt"
	"math"
	"time"
)

// Counts is the finished requests of one variant. A request that the client gave up is in neither.
type Counts struct {
	// Bad is how many failed.
	Bad uint64
	// Good is how many did not.
	Good uint64
}

func (c Counts) total() uint64 { return c.Bad + c.Good }

// Block is the new requests of one stratum since the last call, all drawn with the same probability.
type Block struct {
	// Stratum tells apart draws with different probabilities, 1 to MaxStrata.
	Stratum int
	// Weight is the probability with which each of these requests was sent to the canary, 0 to 1. At 0, and from 0.95 on,
	// there is nothing to compare: stable's requests are remembered, no evidence is gained.
	Weight float64
	// Canary and Stable are the requests of the two variants.
	Canary, Stable Counts
	// CanaryLatency and StableLatency are the latencies of requests that did not fail, buckets in any order. They may come
	// in fewer blocks than the counts do; empty when there are none or when latency is not judged.
	CanaryLatency, StableLatency []Bucket
	// CanaryEvents and StableEvents are the counts for checks with an Event: place N-1 counts the requests with event N as
	// Bad and those that could have had it as Good. A place that is not there has no requests.
	CanaryEvents, StableEvents []Counts
	// CanaryValues and StableValues are the numbers for checks of a mean: place N-1 has those of Metric.Values N. The sum of a
	// request may come a block before its count.
	CanaryValues, StableValues []Sums
}

// empty says that nothing happened.
func (b *Block) empty() bool {
	return !b.canary() && b.Stable.total() == 0 && len(b.StableLatency) == 0 && !some(b.StableEvents)
}

// canary says that the canary had requests.
func (b *Block) canary() bool {
	return b.Canary.total() > 0 || len(b.CanaryLatency) > 0 || some(b.CanaryEvents)
}

func some(events []Counts) bool {
	for _, c := range events {
		if c.total() > 0 {
			return true
		}
	}
	return false
}

// Judge gathers the evidence of one rollout. Make one with NewJudge or Restore. One goroutine at a time may use it.
type Judge struct {
	settings Settings
	memory   State        // everything that a restart must not forget
	rules    []rule       // one for each check, derived from settings
	groups   []GroupScore // the groups of the checks and their weights, derived from settings
	last     Verdict      // what Verdict answered last
	stale    bool         // whether counts have come since
	current  []bool       // whether last still holds for a check
	fed      bool         // whether there is a check that Take is told of
}

// rule is what follows from the settings for one check.
type rule struct {
	needed float64 // log wealth of harm at which it has failed
	shown  float64 // log wealth of safe at which it is shown within tolerance
	burst  burst
	stakes stakes // of what is bet against harm
	alone  alone  // of an absolute check
}

// NewJudge makes a judge that knows nothing. Settings that Validate rejects are a bug of the caller and panic.
func NewJudge(settings Settings) *Judge {
	if err := settings.Validate(); err != nil {
		panic("analysis: " + err.Error())
	}
	j := &Judge{settings: settings.filled(), stale: true}
	j.groups = j.settings.groups()
	j.current = make([]bool, len(j.settings.Checks))
	j.memory.Version = stateVersion
	for i := range j.settings.Checks {
		c := &j.settings.Checks[i]
		needed := threshold(j.settings.Alpha, c.Share)
		j.fed = j.fed || c.fed()
		j.rules = append(j.rules, rule{
			needed: needed,
			shown:  -math.Log(j.settings.Beta),
			burst:  newBurst(int64(c.Window), needed, c.Windows),
			stakes: c.stakes(harm),
			alone:  newAlone(c),
		})
		j.memory.Checks = append(j.memory.Checks, newCheckState(c))
	}
	return j
}

// Observe takes the new requests since the last call: one block for each stratum, each with the weight its requests were
// drawn with. The bets on these blocks are made of earlier calls only. Burst windows slide in quarters, aligned to the clock
// of now. A call without blocks, or with empty ones, is how the judge hears of silence; it costs next
// to nothing. A block of an unknown stratum is a bug of the caller and panics.
func (j *Judge) Observe(now time.Time, blocks []Block) {
	at := now.UnixNano()
	m := &j.memory
	if m.Started == 0 {
		m.Started, m.WeightAt = at, at
	}
	m.hear(at)
	if m.Changed && len(blocks) > 0 {
		j.retire(blocks)
	}
	traffic := false
	for i := range blocks {
		j.weigh(&blocks[i])
		traffic = traffic || !blocks[i].empty()
	}
	if !traffic {
		return
	}
	j.stale = true
	j.keepTime(at)
	for i := range m.Checks {
		j.learn(i, blocks)
	}
	for i := range blocks {
		j.book(&blocks[i])
	}
}

// WeightChanged says that the weight of some stratum is another one from now on. The next blocks restart the bets, so that a
// fault that only shows under more load is found; a stratum that is not among them is taken to be over. A block with
// another weight than the one before restarts the bets too.
func (j *Judge) WeightChanged(now time.Time) {
	j.memory.hear(now.UnixNano())
	j.memory.WeightAt = j.memory.Now
	j.memory.Changed = true
	if j.memory.Started == 0 {
		j.memory.Started = j.memory.Now
	}
}

// NewStep starts the counts of a step from zero. The evidence carries over: it is about the same canary.
func (j *Judge) NewStep(now time.Time) {
	m := &j.memory
	m.hear(now.UnixNano())
	m.StepUncompared = 0
	for i := range m.Checks {
		m.Checks[i].StepCanary = 0
	}
	for i := range m.Strata {
		m.Strata[i].Canary, m.Strata[i].Stable = 0, 0
	}
	j.outdate()
}

// StartOver forgets the evidence and the counts, not the picture of stable: for a new attempt, or when a person has
// decided to go on in spite of a fail. The chance of a false fail counts from here again.
func (j *Judge) StartOver(now time.Time) {
	fresh := NewJudge(j.settings)
	fresh.memory.Strata = j.memory.Strata
	fresh.memory.Refreshed = j.memory.Refreshed
	fresh.memory.Recent = j.memory.Recent
	fresh.memory.LastStable = j.memory.LastStable
	for i := range fresh.memory.Checks {
		fresh.memory.Checks[i].Clumps = j.memory.Checks[i].Clumps
	}
	*j = *fresh
	for i := range j.memory.Strata {
		st := j.memory.Strata[i].Streams
		for k := range st {
			st[k].CanaryTotal, st[k].StableBad, st[k].StableTied, st[k].StableTotal, st[k].StableSum = 0, 0, 0, 0, 0
		}
	}
	j.NewStep(now)
	j.memory.Started, j.memory.WeightAt = j.memory.Now, j.memory.Now
}

// weigh takes note of the weight of a block. The split is checked for each weight on its own.
func (j *Judge) weigh(b *Block) {
	s := j.stratum(b.Stratum)
	if s.Weight == b.Weight {
		return
	}
	s.Weight = b.Weight
	s.Canary, s.Stable = 0, 0
	j.memory.WeightAt = j.memory.Now
	j.memory.Changed = true
	j.outdate()
}

// retire ends the strata that have no block after a change of weights.
func (j *Judge) retire(blocks []Block) {
	for i := range j.memory.Strata {
		s := &j.memory.Strata[i]
		there := false
		for k := range blocks {
			there = there || blocks[k].Stratum == s.Number
		}
		if !there {
			s.Weight = 0
			s.Canary, s.Stable = 0, 0
			j.outdate()
		}
	}
}

// stratum finds the stratum, or makes it.
func (j *Judge) stratum(number int) *stratum {
	m := &j.memory
	for i := range m.Strata {
		if m.Strata[i].Number == number {
			return &m.Strata[i]
		}
	}
	if number < 1 || number > MaxStrata {
		panic(fmt.Sprintf("analysis: stratum %d is not one of 1 to %d", number, MaxStrata))
	}
	n := len(j.settings.Checks)
	m.Strata = append(m.Strata, stratum{Number: number, Streams: make([]stream, n), bets: make([]bets, n)})
	s := &m.Strata[len(m.Strata)-1]
	for i := range j.settings.Checks {
		s.renew(i, &j.settings.Checks[i], 0, j.settings.MinReference)
		s.arm(i, &j.settings.Checks[i])
	}
	return s
}
