package main

import (
	"math"
	"time"
)

const (
	kayentaEvery    = 5 * time.Minute
	kayentaMarginal = 75
	// kayentaTolerance is the part of the estimated shift that its lower confidence bound must exceed.
	kayentaTolerance = 0.25
)

// metric is one point a minute of each variant, NaN values left out.
type metric struct {
	points [sides][]float64
	weight float64 // of the metric in the score
}

// kayenta judges the growing series of points anew every five minutes, as Kayenta's NetflixACAJudge does: direction increase,
// outliers kept, effect size not limited (allowedIncrease 1), no correction for looking again.
type kayenta struct{ metrics [3]metric }

// The metrics: percent of failed requests, p50 and p99 in milliseconds.
const (
	kayentaErrors = iota
	kayentaMedian
	kayentaTail
)

func newKayenta() rule {
	k := &kayenta{}
	k.metrics[kayentaErrors].weight = 50
	k.metrics[kayentaMedian].weight = 25
	k.metrics[kayentaTail].weight = 25
	return k
}

func (k *kayenta) look(v *view) (time.Duration, bool) {
	for side := range sides {
		w := &v.window[side]
		if rate, some := w.errorRate(); some {
			k.metrics[kayentaErrors].add(side, 100*rate)
		}
		if micros, some := w.quantile(0.5); some {
			k.metrics[kayentaMedian].add(side, micros/1000)
		}
		if micros, some := w.quantile(0.99); some {
			k.metrics[kayentaTail].add(side, micros/1000)
		}
	}
	if v.tick.at%kayentaEvery != 0 {
		return 0, false
	}
	return v.tick.at, k.score() < kayentaMarginal
}

func (m *metric) add(side int, value float64) { m.points[side] = append(m.points[side], value) }

// class is the answer to one metric.
type class uint8

const (
	classPass class = iota
	classHigh
	classNoData
)

// score is the weighted share of metrics that pass; one without data counts as good in its group, and when half of the
// metrics have no data nothing is good.
func (k *kayenta) score() float64 {
	score, silent := 0.0, 0
	for i := range k.metrics {
		m := &k.metrics[i]
		switch classify(m.points[stable], m.points[canary]) {
		case classNoData:
			silent++
			score += m.weight
		case classPass:
			score += m.weight
		}
	}
	if 2*silent >= len(k.metrics) {
		return 0
	}
	return score
}

// classify compares the experiment with the control.
func classify(control, experiment []float64) class {
	if len(control) == 0 || len(experiment) == 0 {
		return classNoData
	}
	if low, high := bounds(control, experiment); low == high {
		return classPass // nothing but one value
	}
	if mean(control) != 0 && mean(experiment)/mean(control) < 1 {
		return classPass // the effect size is below the allowed increase; not known without a control
	}
	lower, estimate := hodgesLehmann(experiment, control)
	if lower > kayentaTolerance*math.Abs(estimate) {
		return classHigh
	}
	return classPass
}

func bounds(lists ...[]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, list := range lists {
		for _, v := range list {
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}
