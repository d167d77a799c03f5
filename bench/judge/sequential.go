package main

import (
	"math"
	"time"
)

// onePercent is the normal quantile of a one-sided test of 1 %; levelLog is the log of 1/alpha of the sequential tests.
const (
	onePercent = 2.3263478740408408
	levelLog   = 4.605170185988092
)

// zTest repeats a pooled test of two proportions every minute, as if each were the only one.
type zTest struct{}

func newZTest() rule { return zTest{} }

func (zTest) look(v *view) (time.Duration, bool) {
	d, variance, some := difference(v)
	return v.tick.at, some && d > onePercent*math.Sqrt(variance)
}

// difference is canary's error rate minus stable's, and its pooled variance.
func difference(v *view) (d, variance float64, some bool) {
	c, s := v.total[canary], v.total[stable]
	n, m := float64(c.Bad+c.Good), float64(s.Bad+s.Good)
	bad := float64(c.Bad + s.Bad)
	if n == 0 || m == 0 || bad == 0 || bad == n+m {
		return 0, 0, false
	}
	p := bad / (n + m)
	return float64(c.Bad)/n - float64(s.Bad)/m, p * (1 - p) * (1/n + 1/m), true
}

// mSPRT is the mixture sequential probability ratio test of Johari, Pekelis and Walsh (Always valid inference, 2015) on the
// difference of two proportions, with the normal approximation and a normal mixture.
type mSPRT struct{}

// msprtTau is the standard deviation of the mixture: differences of a point are what is looked for.
const msprtTau = 0.01

func newMSPRT() rule { return mSPRT{} }

func (mSPRT) look(v *view) (time.Duration, bool) {
	d, variance, some := difference(v)
	if !some || d <= 0 {
		return 0, false
	}
	return v.tick.at, msprtLog(d, variance) >= levelLog
}

func msprtLog(d, variance float64) float64 {
	const t = msprtTau * msprtTau
	return 0.5*math.Log(variance/(variance+t)) + d*d*t/(2*variance*(variance+t))
}

// lindonMalek is the test of Lindon and Malek (Anytime-valid inference for multinomial count data, 2022): under the null an
// error is the canary's with the probability of the weight, whatever the error rate does. The alternative is a beta mixture
// with the weight as its mean. Each weight has a mixture of its own; their product is what counts.
type lindonMalek struct {
	weight   float64
	past     float64 // log of the product of the mixtures of earlier weights
	mine     float64 // errors at this weight
	others   float64
	excess   float64 // errors of the canary beyond what the weights say
	evidence float64
}

func newLindonMalek() rule { return &lindonMalek{} }

func (l *lindonMalek) look(v *view) (time.Duration, bool) {
	t := v.tick
	if t.weight <= 0 || t.weight >= 1 {
		return 0, false
	}
	if t.weight != l.weight {
		l.past, l.mine, l.others, l.weight = l.evidence, 0, 0, t.weight
	}
	c := float64(t.ended.Canary.Bad + t.overdue[canary])
	s := float64(t.ended.Stable.Bad + t.overdue[stable])
	if c+s == 0 {
		return 0, false
	}
	l.mine += c
	l.others += s
	l.excess += c - l.weight*(c+s)
	l.evidence = l.past + betaMixtureLog(l.mine, l.others, l.weight)
	return t.at, l.evidence >= levelLog && l.excess > 0
}

// betaMixtureLog is the log likelihood ratio of a Beta(w, 1-w) mixture of shares against the share w.
func betaMixtureLog(mine, others, w float64) float64 {
	return logBeta(w+mine, 1-w+others) - logBeta(w, 1-w) - mine*math.Log(w) - others*math.Log1p(-w)
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
