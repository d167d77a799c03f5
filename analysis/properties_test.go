package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMultiplierIsFairAtTheEdgeOfTheTolerance(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		o := randomOdds(r)
		ps := r.Float64() * (1 - o.delta) / o.rho
		pc := o.rho*ps + o.delta
		for _, d := range []direction{harm, safe} {
			for j := range d.bets() {
				f := o.factors(d, j)
				if !finite(f.canaryBad, f.canaryGood, f.stableBad, f.stableGood) {
					t.Fatalf("%+v bet %d of %d: factors %+v", o, j, d, f)
				}
				w := o.weight
				mean := w*(pc*math.Exp(f.canaryBad)+(1-pc)*math.Exp(f.canaryGood)) +
					(1-w)*(ps*math.Exp(f.stableBad)+(1-ps)*math.Exp(f.stableGood))
				if math.Abs(mean-1) > 1e-12 {
					t.Fatalf("%+v bet %d of %d: mean %.17g", o, j, d, mean)
				}
			}
		}
	}
}

// The mean must stay at or below one on the whole hypothesis, not only on its edge.
func TestMultiplierLosesInsideTheHypothesis(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		o := randomOdds(r)
		ps, pc := r.Float64(), r.Float64()
		d := harm
		if pc >= o.rho*ps+o.delta {
			d = safe
		}
		for j := range d.bets() {
			f := o.factors(d, j)
			w := o.weight
			mean := w*(pc*math.Exp(f.canaryBad)+(1-pc)*math.Exp(f.canaryGood)) +
				(1-w)*(ps*math.Exp(f.stableBad)+(1-ps)*math.Exp(f.stableGood))
			if mean > 1+1e-12 {
				t.Fatalf("%+v p_c %v p_s %v bet %d of %d: mean %.17g", o, pc, ps, j, d, mean)
			}
		}
	}
}

// played is two processes that have seen the same random past.
func played(r *rand.Rand, d direction, o odds) process {
	stakes := randomStakes(r, d)
	p := newProcess(stakes)
	var l ladder
	l.set(o, d)
	for range r.IntN(20) {
		tl := randomTally(r)
		p.bet(d, &l, &tl, 1)
		p.settle(d, unguarded)
		if d == harm && r.IntN(4) == 0 {
			p.restart(&stakes)
		}
	}
	return p
}

func after(p process, d direction, o odds, blocks ...tally) float64 {
	var l ladder
	l.set(o, d)
	for i := range blocks {
		p.bet(d, &l, &blocks[i], 1)
		p.settle(d, unguarded)
	}
	return p.Log
}

func TestOneMoreCanaryFailureSpeaksAgainstTheCanary(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 2000 {
		o := randomOdds(r)
		less := randomTally(r)
		more := less
		more.canaryBad++
		if r.IntN(2) == 0 { // instead of a success, or on top
			more.canaryGood -= min(1, more.canaryGood)
		}
		p := played(r, harm, o)
		if a, b := after(p, harm, o, less), after(p, harm, o, more); b < a {
			t.Fatalf("harm fell from %v to %v: %+v %+v", a, b, o, less)
		}
		p = played(r, safe, o)
		if a, b := after(p, safe, o, less), after(p, safe, o, more); b > a {
			t.Fatalf("safe rose from %v to %v: %+v %+v", a, b, o, less)
		}
	}
}

func TestBlocksMayBeSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		o := randomOdds(r)
		a, b := randomTally(r), randomTally(r)
		both := tally{
			a.canaryBad + b.canaryBad, a.canaryGood + b.canaryGood, a.stableBad + b.stableBad, a.stableGood + b.stableGood,
			a.stableTied + b.stableTied,
		}
		for _, d := range []direction{harm, safe} {
			p := played(r, d, o)
			near(t, "split", after(p, d, o, a, b), after(p, d, o, both))
			near(t, "order", after(p, d, o, b, a), after(p, d, o, a, b))
		}
	}
}

func TestRestartMovesMoneyAndMakesNone(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		o := randomOdds(r)
		var l ladder
		l.set(o, harm)
		stakes := randomStakes(r, harm)
		p := newProcess(stakes)
		window, fixed := int64(100), fixedWindows(1, 0)
		for range 60 {
			before := p.Log
			p.restart(&stakes)
			if math.Abs(p.Log-before) > 1e-12*max(1, math.Abs(before)) {
				t.Fatalf("restart %d: log E went from %.17g to %.17g", p.Restarts, before, p.Log)
			}
			window++
			p.enter(window, &fixed)
			tl := randomTally(r)
			p.bet(harm, &l, &tl, 1)
			p.settle(harm, 1.5)
			if floor := p.Scale - math.Log(2*float64(p.Restarts+1)); p.Log < floor-1e-12*max(1, math.Abs(floor)) {
				t.Fatalf("log E %v is below its floor %v", p.Log, floor)
			}
		}
	}
}

func TestMillionsOfFailuresDoNotOverflow(t *testing.T) {
	const million = 1_000_000
	for _, w := range []float64{0.0001, 0.01, 0.5, 0.94} {
		for _, tl := range []tally{
			{million, 0, 0, million, 0},
			{0, million, million, 0, 0},
			{million, 0, million, 0, 0},
			{0, million, 0, million, 0},
			{0, million, 0, 0, million},
		} {
			for _, d := range []direction{harm, safe} {
				stakes := even(d)
				p := newProcess(stakes)
				var l ladder
				l.set(odds{w, 0.001, 1.1, 0.001, 0.5}, d)
				for range 1000 {
					p.bet(d, &l, &tl, 1)
					p.settle(d, 2.1)
					if d == harm {
						p.restart(&stakes)
					}
				}
				if !finite(p.Log, p.Sup, p.Base, p.Scale) || !finite(p.Bets[:]...) {
					t.Fatalf("w %v %+v: %+v", w, tl, p)
				}
			}
		}
	}
}
