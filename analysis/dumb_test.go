package analysis

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// dumb is an e-process as one would write it down: plain products of multipliers in the linear domain, in big numbers.
type dumb struct {
	dir        direction
	first      []*big.Float
	later      []*big.Float
	reserve    *big.Float
	moved      int
	stakes     []*big.Float
	base, best *big.Float
	cap        *big.Float // nil for no guard
}

func bigOf(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }

func mul(a, b *big.Float) *big.Float { return bigOf(0).Mul(a, b) }

func add(a, b *big.Float) *big.Float { return bigOf(0).Add(a, b) }

func div(a, b *big.Float) *big.Float { return bigOf(0).Quo(a, b) }

func newDumb(d direction, s stakes, guard float64) *dumb {
	x := &dumb{dir: d, reserve: bigOf(1), base: bigOf(1), best: bigOf(1)}
	if guard < 100 {
		x.cap = bigOf(math.Exp(guard))
	}
	for j := range d.bets() {
		x.stakes = append(x.stakes, bigOf(math.Exp(s[j])))
		x.first = append(x.first, x.stakes[j])
		x.later = append(x.later, bigOf(0))
	}
	return x
}

func (x *dumb) wealth() *big.Float {
	sum, late := bigOf(0), bigOf(0)
	for j := range x.first {
		sum = add(sum, x.first[j])
		late = add(late, x.later[j])
	}
	if x.dir == safe {
		return sum
	}
	return div(add(sum, add(late, x.reserve)), bigOf(2))
}

// restart moves the part that 1/(k(k+1)) of everything is of what is left after k-1 restarts: 1/(k+1).
func (x *dumb) restart() {
	x.moved++
	take := div(x.reserve, bigOf(float64(x.moved+1)))
	x.reserve = bigOf(0).Sub(x.reserve, take)
	for j := range x.later {
		x.later[j] = add(x.later[j], mul(take, x.stakes[j]))
	}
}

func (x *dumb) window() { x.base = x.wealth() }

// one applies one request, by the definition of the multiplier.
func (x *dumb) one(o odds, canary bool, y float64) {
	for j := range x.first {
		k := o.kappa(x.dir, j)
		if x.dir == safe {
			k = -k
		}
		term := y - o.delta - o.centre
		if !canary {
			term = -o.weight / (1 - o.weight) * (o.rho*y - o.centre)
		}
		m := add(bigOf(1), mul(bigOf(k), bigOf(term)))
		x.first[j] = mul(x.first[j], m)
		x.later[j] = mul(x.later[j], m)
	}
}

func (x *dumb) settle() {
	if x.cap != nil {
		most := mul(x.base, x.cap)
		if e := x.wealth(); e.Cmp(most) > 0 {
			f := div(most, e)
			x.reserve = mul(x.reserve, f)
			for j := range x.first {
				x.first[j] = mul(x.first[j], f)
				x.later[j] = mul(x.later[j], f)
			}
		}
	}
	if e := x.wealth(); e.Cmp(x.best) > 0 {
		x.best = e
	}
}

func logOf(v *big.Float) float64 {
	mant := new(big.Float)
	exp := v.MantExp(mant)
	m, _ := mant.Float64()
	return math.Log(m) + float64(exp)*math.Ln2
}

func randomOdds(r *rand.Rand) odds {
	return odds{
		weight: math.Exp(-r.Float64()*9) * 0.94,
		centre: maxCentre * math.Pow(r.Float64(), 4),
		rho:    1 + r.Float64(),
		delta:  0.02 * r.Float64() * float64(r.IntN(2)),
		tied:   r.Float64(),
	}
}

// randomStakes is any spread of the money.
func randomStakes(r *rand.Rand, d direction) stakes {
	s, sum := even(d), 0.0
	for j := range d.bets() {
		s[j] -= 5 * r.Float64()
		sum += math.Exp(s[j])
	}
	for j := range d.bets() {
		s[j] -= math.Log(sum)
	}
	return s
}

func randomTally(r *rand.Rand) tally {
	some := func(n int) uint64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return uint64(r.IntN(n))
	}
	return tally{some(6), some(40), some(6), some(100), some(30)}
}

func TestFastProcessEqualsDumbOne(t *testing.T) {
	for seed := range uint64(16) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir, limit := harm, unguarded
		switch seed % 3 {
		case 0:
			dir = safe
		case 1:
			limit = 0.5 + 3*r.Float64()
		}
		stakes := randomStakes(r, dir)
		fast, slow := newProcess(stakes), newDumb(dir, stakes, limit)
		strata := [2]odds{randomOdds(r), randomOdds(r)}
		window, fixed := int64(100), fixedWindows(1, 0)
		for op := range 40 {
			switch k := r.IntN(10); {
			case k == 0:
				strata[r.IntN(2)] = randomOdds(r)
			case k == 1 && dir == harm:
				fast.restart(&stakes)
				slow.restart()
			case k <= 3:
				window++
				fast.enter(window, &fixed)
				slow.window()
			default:
				for _, o := range strata {
					var l ladder
					l.set(o, dir)
					tl := randomTally(r)
					fast.bet(dir, &l, &tl, 1)
					slow.apply(o, tl)
				}
				fast.settle(dir, limit)
				slow.settle()
			}
			what := fmt.Sprintf("seed %d op %d", seed, op)
			near(t, what+" log E", fast.Log, logOf(slow.wealth()))
			near(t, what+" sup", fast.Sup, logOf(slow.best))
			if t.Failed() {
				return
			}
		}
	}
}

// apply takes the requests of a block one after the other.
func (x *dumb) apply(o odds, t tally) {
	for range t.canaryBad {
		x.one(o, true, 1)
	}
	for range t.canaryGood {
		x.one(o, true, 0)
	}
	for range t.stableBad {
		x.one(o, false, 1)
	}
	for range t.stableGood {
		x.one(o, false, 0)
	}
	for range t.stableTied {
		x.one(o, false, o.tied)
	}
}
