package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// poisson draws a number of events (D. Knuth's product method, in pieces that do not underflow).
func poisson(r *rand.Rand, mean float64) uint64 {
	n := uint64(0)
	for ; mean > 30; mean -= 30 {
		n += poisson(r, 30)
	}
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		n++
	}
	return n
}

// clustered plays failures that come in clusters of a fixed size to both variants, and says what the judge makes of it. Which
// variant a cluster hits is drawn once.
func clustered(seed uint64, size int, weight, rate float64, d time.Duration) *Judge {
	const perTick, history = 25, 2 * time.Minute
	r := rand.New(rand.NewPCG(seed, 8))
	j := NewJudge(Defaults())
	now := time.Unix(1_700_000_000, r.Int64N(1e9))
	start := now.Add(history)
	for end := start.Add(d); now.Before(end); {
		now = now.Add(tick)
		b := Block{Stratum: 1, Weight: weight}
		if now.Before(start) {
			b.Weight = 0
		}
		draw := func(share float64) Counts {
			return Counts{
				Bad:  uint64(size) * poisson(r, perTick*share*rate/float64(size)),
				Good: poisson(r, perTick*share*(1-rate)),
			}
		}
		b.Canary, b.Stable = draw(b.Weight), draw(1-b.Weight)
		j.Observe(now, []Block{b})
	}
	return j
}

func TestClustersAreMeasured(t *testing.T) {
	for _, c := range []struct {
		size      int
		low, high float64
	}{{1, 1, 1.001}, {10, 6, 14}, {40, 20, 60}} {
		for seed := range uint64(5) {
			j := clustered(seed, c.size, 0.5, 0.02, 10*time.Minute)
			if got := j.memory.Checks[0].Clumps.size(); got < c.low || got > c.high {
				t.Errorf("clusters of %d, seed %d: measured %v", c.size, seed, got)
			}
		}
	}
}

// Ramps and long outages of both variants are no clusters.
func TestDriftIsNoCluster(t *testing.T) {
	for seed := range uint64(5) {
		s := newSim(t, seed, Defaults())
		s.perSecond, s.weight = 100, 0.1
		for k := range 10 {
			s.stable = 0.005 * float64(k+1)
			s.canary = s.stable
			s.run(time.Minute)
		}
		if got := s.j.memory.Checks[0].Clumps.size(); got > 1.01 {
			t.Errorf("seed %d: a ramp is taken for clusters of %v", seed, got)
		}
		s.stable, s.canary = 0.4, 0.4
		s.run(30 * time.Second)
		s.stable, s.canary = 0.005, 0.005
		s.run(30 * time.Second)
		if got := s.j.memory.Checks[0].Clumps.size(); got > 1.5 {
			t.Errorf("seed %d: an outage is taken for clusters of %v", seed, got)
		}
	}
}

// One event that makes ten requests of one variant fail is one piece of evidence, not ten. Counted as ten, a third of
// such rollouts at a weight of 50 % is a false fail within an hour.
func TestClustersDoNotRollBack(t *testing.T) {
	unraced(t)
	if testing.Short() {
		t.Skip("takes seconds of CPU")
	}
	const rollouts = 60
	for _, weight := range []float64{0.05, 0.5} {
		wrong := 0
		for seed := range uint64(rollouts) {
			if clustered(seed, 10, weight, 0.005, 15*time.Minute).memory.Checks[0].FailedAt != 0 {
				wrong++
			}
		}
		t.Logf("weight %v: %d of %d rolled back", weight, wrong, rollouts)
		if limit := binomialLimit(rollouts, 0.01); wrong > limit {
			t.Errorf("weight %v: %d of %d rolled back, at most %d are chance", weight, wrong, rollouts, limit)
		}
	}
}

// The estimate against the formula, written down over the whole list of windows.
func TestClumpsEqualTheFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	guard := burst{clump: 100}
	for range 50 {
		var c clumps
		var list []window
		at := int64(1000)
		for range 60 {
			at += 1 + r.Int64N(3)*r.Int64N(2) // with gaps
			w := window{At: at, Canary: uint64(r.IntN(3)), Stable: uint64(r.IntN(9))}
			list = append(list, w)
			for k := range 3 { // in pieces, and in between the window is entered again
				c.enter(at*100+int64(k)*30, &guard)
				if k == 1 {
					c.count(at*100+50, &guard, &tally{canaryBad: w.Canary, stableBad: w.Stable})
				}
			}
		}
		squares, bad, busy := 0.0, 0.0, 0.0
		for i := 1; i < len(list)-1 && list[i+1].At <= at-clumpWindows; i++ {
			n := func(k int) (canary, stable float64) { return float64(list[k].Canary), float64(list[k].Stable) }
			ac, as := n(i - 1)
			bc, bs := n(i)
			cc, cs := n(i + 1)
			x := (bc-ac)*(bc-cc) + (bs-as)*(bs-cs)
			squares += x
			bad += bc + bs
			if x != 0 || bc+bs > 0 {
				busy++
			}
		}
		near(t, "squares", c.Squares, squares)
		near(t, "bad", c.Bad, bad)
		near(t, "busy", c.Busy, busy)
	}
}

// What is bet now must not know what is bet on: the windows that are still open do not count.
func TestClumpsAreOfEarlierWindows(t *testing.T) {
	guard := burst{clump: 100}
	var c clumps
	for at := range int64(20) {
		c.enter(1000_00+at*100, &guard)
	}
	before := c.size()
	c.count(1000_00+19*100, &guard, &tally{canaryBad: 1000})
	for at := int64(19); at < 19+clumpWindows; at++ {
		if part := c.enter(1000_00+at*100, &guard); part != 1/before {
			t.Fatalf("window %d knows of the failures of window 19: part %v", at, part)
		}
	}
	c.enter(1000_00+(20+clumpWindows)*100, &guard)
	if part := c.enter(1000_00+(21+clumpWindows)*100, &guard); part >= 0.1 {
		t.Errorf("a thousand failures in one window count as %v each", part)
	}
}

func TestClumpsSurviveAClockThatIsSetBack(t *testing.T) {
	guard := burst{clump: 100}
	var c clumps
	for _, at := range []int64{5000, 5100, 5200, 100, 200, -500, 90000, 0, 300} {
		c.enter(at, &guard)
		c.count(at, &guard, &tally{canaryBad: 3, stableBad: 1})
	}
	if !c.possible() || c.size() < 1 || math.IsInf(c.size(), 0) {
		t.Errorf("%+v", c)
	}
}

// A part of the evidence is never worth more than all of it is, in the mean: the discount keeps the bets fair or losing.
func TestPartialBetsLose(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		o := randomOdds(r)
		ps := r.Float64() * (1 - o.delta) / o.rho
		pc, part := o.rho*ps+o.delta, r.Float64()
		for _, d := range []direction{harm, safe} {
			for j := range d.bets() {
				f, w := o.factors(d, j), o.weight
				mean := w*(pc*math.Exp(part*f.canaryBad)+(1-pc)*math.Exp(part*f.canaryGood)) +
					(1-w)*(ps*math.Exp(part*f.stableBad)+(1-ps)*math.Exp(part*f.stableGood))
				if mean > 1+1e-12 {
					t.Fatalf("%+v bet %d of %d, part %v: mean %.17g", o, j, d, part, mean)
				}
			}
		}
	}
}
