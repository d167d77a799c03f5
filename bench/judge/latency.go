package main

import (
	"math"

	"haldane/analysis"
)

// family is a law of latencies, in microseconds, of a healthy request: a mixture.
type family []component

// component is one part of a mixture: a log-normal or, with an exponent, a Pareto from scale on.
type component struct {
	share    float64
	scale    float64 // median, or the smallest value of a Pareto
	sigma    float64
	exponent float64
}

// logNormal is the plain service: median 80 ms.
func logNormal() family { return family{{share: 1, scale: 80e3, sigma: 0.6}} }

// heavyTail is a service of which three requests in a hundred take arbitrarily long.
func heavyTail() family {
	return family{{share: 0.97, scale: 40e3, sigma: 0.6}, {share: 0.03, scale: 200e3, exponent: 1.5}}
}

// bimodal is a service behind a cache.
func bimodal() family {
	return family{{share: 0.7, scale: 5e3, sigma: 0.3}, {share: 0.3, scale: 120e3, sigma: 0.3}}
}

// quick is a service that answers within a millisecond.
func quick() family { return family{{share: 1, scale: 800, sigma: 0.4}} }

// endless is a service of which one request in ten takes as long as it likes: the mean hardly exists.
func endless() family {
	return family{{share: 0.9, scale: 20e3, sigma: 0.5}, {share: 0.1, scale: 30e3, exponent: 1.1}}
}

// threeModes is a service with a cache, a database and a far neighbour.
func threeModes() family {
	return family{{share: 0.4, scale: 1e3, sigma: 0.2}, {share: 0.4, scale: 30e3, sigma: 0.4}, {share: 0.2, scale: 900e3, sigma: 0.2}}
}

// rounded is a latency as a clock tells it that is coarse.
func (s *scenario) rounded(micros float64) float64 {
	if s.clock == 0 {
		return micros
	}
	return math.Ceil(micros/s.clock) * s.clock
}

// above is the chance to take longer than x.
func (f family) above(x float64) float64 {
	sum := 0.0
	for _, c := range f {
		switch {
		case c.exponent == 0:
			sum += c.share * 0.5 * math.Erfc(math.Log(x/c.scale)/(c.sigma*math.Sqrt2))
		case x <= c.scale:
			sum += c.share
		default:
			sum += c.share * math.Pow(c.scale/x, c.exponent)
		}
	}
	return sum
}

// quantile is the latency that a share q of the requests exceeds.
func (f family) quantile(q float64) float64 {
	if len(f) == 1 && f[0].exponent == 0 {
		return f[0].scale * math.Exp(f[0].sigma*math.Sqrt2*math.Erfcinv(2*q))
	}
	low, high := math.Log(10.0), math.Log(1e12)
	for range 48 {
		mid := (low + high) / 2
		if f.above(math.Exp(mid)) > q {
			low = mid
		} else {
			high = mid
		}
	}
	return math.Exp((low + high) / 2)
}

// stretch makes p99 larger by a factor and leaves what is below p90 as it is: above p90 the excess grows on the scale of
// logarithms.
type stretch struct{ from, power float64 }

func (f family) stretch(factor float64) stretch {
	if factor == 0 || factor == 1 {
		return stretch{from: math.Inf(1)}
	}
	p90, p99 := f.quantile(0.1), f.quantile(0.01)
	return stretch{from: p90, power: math.Log(factor*p99/p90) / math.Log(p99/p90)}
}

func (s stretch) of(x float64) float64 {
	if x <= s.from {
		return x
	}
	return s.from * math.Pow(x/s.from, s.power)
}

// tableBits is the size of a table of quantiles: it should stay in the processor's cache.
const tableBits = 14

// latencies draws from a family quickly.
type latencies struct {
	edges   [1<<tableBits + 1]float32
	family  family
	stretch stretch
}

func newLatencies(f family, tail float64) *latencies {
	t := &latencies{family: f, stretch: f.stretch(tail)}
	const n = 1 << tableBits
	for i := 1; i < n; i++ {
		t.edges[i] = float32(t.stretch.of(f.quantile(1 - float64(i)/n)))
	}
	t.edges[0] = t.edges[1]
	t.edges[n] = t.edges[n-1]
	return t
}

// draw is one latency in microseconds. It uses the upper half of the random bits.
func (t *latencies) draw(random uint64, d *dice) float64 {
	const n = 1 << tableBits
	i := random >> (64 - tableBits)
	part := float32(random>>32&(1<<(32-tableBits)-1)) * (1.0 / (1 << (32 - tableBits)))
	if i == n-1 {
		return t.stretch.of(t.family.quantile((1 - d.float()) / n))
	}
	return float64(t.edges[i] + part*(t.edges[i+1]-t.edges[i]))
}

// bucketOf is the bucket of a latency, in the layout of analysis.Bucket: from 256 on the exponent of the number and the seven bits
// after its first one, which a float64 has side by side.
func bucketOf(micros float64) int {
	if micros < 256 {
		return int(micros)
	}
	if micros > math.MaxUint32 {
		micros = math.MaxUint32
	}
	const exponentOf128, cut = 1023 + 7, 52 - 7
	return int(math.Float64bits(micros)>>cut) - (exponentOf128-1)<<7
}

// upperEdge is where a bucket ends, in microseconds.
func upperEdge(i int) float64 {
	i++
	if i < 256 {
		return float64(i)
	}
	return float64(uint64(i&127+128) << (i>>7 - 1))
}

// quantileOf is the upper edge of the bucket in which the share p of the counts is reached; false without counts.
func quantileOf(counts *[analysis.NumBuckets]uint32, total uint64, p float64) (float64, bool) {
	if total == 0 {
		return 0, false
	}
	// From above: the quantiles that are asked for are near the end.
	left := float64(total) * (1 - p)
	sum := 0.0
	for i := analysis.NumBuckets - 1; i >= 0; i-- {
		sum += float64(counts[i])
		if sum > left+1e-9 {
			return upperEdge(i), true
		}
	}
	return 0, false
}
