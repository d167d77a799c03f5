package analysis

import (
	"errors"
	"fmt"
	"time"
)

// MetricKind says where the numbers of a business metric come from and what they are.
type MetricKind uint8

// The kinds.
const (
	// MetricShare is the share of requests with an event: Check.Event says which.
	MetricShare MetricKind = iota + 1
	// MetricMean is the mean of a number of each request, between 0 and 1: Metric.Values says which.
	MetricMean
	// MetricGiven is totals of each variant that Take is told: of so many, so many were good, or brought so much.
	MetricGiven
	// MetricReading is a plain number of each variant that Take is told, held against thresholds. There is no model of chance in
	// it, and no part of Alpha: it fails when enough readings in a row are beyond a threshold.
	MetricReading
)

// Metric makes a check one of a business metric. The zero value is none.
type Metric struct {
	// Kind is what it is.
	Kind MetricKind
	// Falls says that harm is a fall: the canary may have stable * (1 - Relative) - Absolute. Otherwise harm is a rise.
	Falls bool
	// Values is the place, from 1, of the numbers in Block.CanaryValues and Block.StableValues; only for MetricMean.
	Values int
	// Feed is the name under which Take is told; for MetricGiven and MetricReading.
	Feed string
	// Stale is how old the last word of a feed may be. Zero for any age.
	Stale time.Duration
	// Low and High are what 0 and 1 stand for, where the metric is a mean. Both zero for a share.
	Low, High float64
	// Max and Min are thresholds of a reading; only those that are Set.
	Max, Min Threshold
	// Failures is how many readings in a row must be beyond a threshold, at least 1; only for MetricReading.
	Failures int
}

// Threshold is a number that may be missing.
type Threshold struct {
	// Value is the number, Set says that there is one.
	Value float64
	Set   bool
}

// validateMetric reports what no judge can work with.
func (c *Check) validateMetric() error {
	m := &c.Metric
	fed := m.Kind == MetricGiven || m.Kind == MetricReading
	switch {
	case m.Kind == 0 && *m == Metric{}:
		return nil
	case m.Kind < MetricShare || m.Kind > MetricReading || c.latency() || c.absolute():
		return fmt.Errorf("check %q: a metric of kind %d cannot be a latency or have a maximum", c.Name, m.Kind)
	case (m.Kind == MetricShare) != (c.Event > 0) || (m.Kind == MetricMean) != (m.Values > 0) || fed != (m.Feed != ""):
		return fmt.Errorf("check %q: an event is for a share, values are for a mean and a feed is for what is told", c.Name)
	case m.Values < 0 || m.Values > maxEvents || m.Stale < 0:
		return fmt.Errorf("check %q: values %d must lie between 0 and %d", c.Name, m.Values, maxEvents)
	case c.Meaning == "":
		return fmt.Errorf("check %q: a metric needs a meaning", c.Name)
	case m.Falls && c.Relative >= 1:
		return fmt.Errorf("check %q: nothing can fall by %v", c.Name, c.Relative)
	case m.Kind == MetricReading && m.Failures < 1:
		return errors.New("a reading needs at least one failure")
	}
	return nil
}

// metric says whether the check is about a business metric.
func (c *Check) metric() bool { return c.Metric.Kind != 0 }

// reading says whether it is held against thresholds.
func (c *Check) reading() bool { return c.Metric.Kind == MetricReading }

// given says whether it is judged by totals.
func (c *Check) given() bool { return c.Metric.Kind == MetricGiven }

// fed says whether Take is told of it.
func (c *Check) fed() bool { return c.given() || c.reading() }

// valued says whether requests count for it by a number, and not by yes or no.
func (c *Check) valued() bool { return c.Metric.Kind == MetricMean || c.given() }

// failures says whether it is about failed requests.
func (c *Check) failures() bool { return !c.latency() && c.Event == 0 && !c.metric() }

// remembered says whether stable's picture of it is kept with its stream.
func (c *Check) remembered() bool { return c.Event > 0 || c.Metric.Kind == MetricMean }

const (
	// priorMetric is the weight, in requests, of the belief that a metric is in the middle.
	priorMetric = 2
	// closest is how close to 0 and 1 the guess of a metric may come.
	closest = 1e-4
)

// guess is a share or a mean from what is remembered of stable: unlike failures, a metric may be anything.
func guess(bad, total float64) float64 {
	return min(1-closest, max(closest, (max(0, bad)+priorMetric/2)/(max(0, total)+priorMetric)))
}

// renewMetric takes the guess for a business metric, once enough is remembered: a bad one would cost most of the evidence.
func (s *stratum) renewMetric(i int, c *Check, minimum float64) {
	bad, total := s.errors(i, c)
	st := &s.Streams[i]
	st.Known, st.Centre = total >= minimum, guess(bad, total)
}

// most is how large a guess of stable may be.
func (c *Check) most() float64 {
	if c.metric() {
		return 1 - closest
	}
	return maxCentre
}

// odds are those of the check, at a weight and a guess of stable. A metric may be large, and then its tolerance moves what is
// expected of the canary: around rho * stable the two sides balance at the edge.
func (c *Check) odds(weight, centre float64) odds {
	o := odds{weight: weight, centre: centre, rho: c.rho(), delta: c.delta()}
	if c.metric() {
		o.centre = o.rho * min(1-closest, max(closest, centre))
	}
	return o
}

// safeDirection is how it is bet that the canary is within tolerance.
func (c *Check) safeDirection() direction {
	if c.metric() {
		return mild
	}
	return safe
}
