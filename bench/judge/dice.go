package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// dice draws random numbers. Two dice of the same seed and name draw the same ones.
type dice struct{ pcg *rand.PCG }

func newDice(seed uint64, name string, run int) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return &dice{rand.NewPCG(seed, h.Sum64()+uint64(run)*0x9E3779B97F4A7C15)}
}

// float is uniform in [0, 1).
func (d *dice) float() float64 { return float64(d.pcg.Uint64()>>11) * 0x1p-53 }

// below is uniform in 0..n-1; the bias of 2^-32 n does not matter here.
func (d *dice) below(n int) int { return int((d.pcg.Uint64() >> 32) * uint64(n) >> 32) }

// normal is a standard normal (Box and Muller, 1958).
func (d *dice) normal() float64 {
	return math.Sqrt(-2*math.Log(1-d.float())) * math.Cos(2*math.Pi*d.float())
}

// exponential has mean 1.
func (d *dice) exponential() float64 { return -math.Log(1 - d.float()) }

// fewest is the mean from which the rejection method is faster, and below which it would not be exact.
const fewest = 12

// poisson is a number of events of the given mean.
func (d *dice) poisson(mean float64) int {
	switch {
	case mean <= 0:
		return 0
	case mean >= fewest:
		return d.poissonMany(mean)
	}
	p := math.Exp(-mean)
	u := d.float()
	n := 0
	for u >= p && n < 200 {
		u -= p
		n++
		p *= mean / float64(n)
	}
	return n
}

// poissonMany is the transformed rejection PTRS of W. Hörmann, The transformed rejection method for generating Poisson
// random variables, Insurance: Mathematics and Economics 12, 1993.
func (d *dice) poissonMany(mean float64) int {
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	alpha := 1.1239 + 1.1328/(b-3.4)
	accept := 0.9277 - 3.6224/(b-2)
	for {
		u, v := d.float()-0.5, d.float()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= accept {
			return int(k)
		}
		if k < 0 || (us < 0.013 && v > us) {
			continue
		}
		lg, _ := math.Lgamma(k + 1)
		if math.Log(v*alpha/(a/(us*us)+b)) <= k*math.Log(mean)-mean-lg {
			return int(k)
		}
	}
}

// binomial counts successes one by one: it is used where the number of trials is small.
func (d *dice) binomial(n int, p float64) int {
	k := 0
	for range n {
		if d.float() < p {
			k++
		}
	}
	return k
}

// alias draws from weights in constant time (M. Vose, A linear algorithm for generating random numbers with a given
// distribution, IEEE Transactions on Software Engineering 17, 1991).
type alias struct {
	stay  []float64
	other []int32
}

func newAlias(weights []float64) alias {
	n := len(weights)
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	a := alias{stay: make([]float64, n), other: make([]int32, n)}
	var small, large []int32
	for i, w := range weights {
		a.stay[i] = w * float64(n) / sum
		a.other[i] = int32(i)
		if a.stay[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.other[s] = l
		a.stay[l] -= 1 - a.stay[s]
		if a.stay[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return a
}

func (a *alias) draw(d *dice) int {
	i := d.below(len(a.stay))
	if d.float() < a.stay[i] {
		return i
	}
	return int(a.other[i])
}
