package main

import (
	"time"

	"haldane/analysis"
)

const (
	// scrapeEvery is how often the numbers of the peers are taken.
	scrapeEvery = 10 * time.Second
	// scrapes is how many of them make the window of a minute that the peers look at.
	scrapes = 6
)

// scrape is what one variant did in a period.
type scrape struct {
	bad, good uint64
	latency   [analysis.NumBuckets]uint32
}

func (s *scrape) add(o *scrape) {
	s.bad += o.bad
	s.good += o.good
	for i, v := range &o.latency {
		s.latency[i] += v
	}
}

func (s *scrape) remove(o *scrape) {
	s.bad -= o.bad
	s.good -= o.good
	for i, v := range &o.latency {
		s.latency[i] -= v
	}
}

// errorRate is the share of failed requests; false without requests.
func (s *scrape) errorRate() (float64, bool) {
	if s.bad+s.good == 0 {
		return 0, false
	}
	return float64(s.bad) / float64(s.bad+s.good), true
}

// quantile is a quantile of the latency in microseconds; false without a good request.
func (s *scrape) quantile(p float64) (float64, bool) { return quantileOf(&s.latency, s.good, p) }

// view is what a rule may look at, at the end of a tick.
type view struct {
	tick *tick
	// verdict is Haldane's, when there is a new one.
	verdict *analysis.Verdict
	// total is the requests since the canary may get some.
	total [sides]analysis.Counts
	// window is the last minute, as of the last multiple of ten seconds.
	window [sides]scrape

	ring [scrapes + 1][sides]scrape // the one that is being counted, and the six before it
	next int
}

func (v *view) take(t *tick) {
	v.tick = t
	if t.at <= 0 {
		return
	}
	current := &v.ring[v.next]
	v.count(stable, t.ended.Stable, t.ended.StableLatency, current)
	v.count(canary, t.ended.Canary, t.ended.CanaryLatency, current)
	if t.at%scrapeEvery == 0 {
		v.turn()
	}
}

func (v *view) count(side int, c analysis.Counts, latency []analysis.Bucket, s *[sides]scrape) {
	c.Bad += v.tick.overdue[side]
	c.Good += uint64(len(v.tick.overdueLatency[side]))
	v.total[side].Bad += c.Bad
	v.total[side].Good += c.Good
	s[side].bad += c.Bad
	s[side].good += c.Good
	for _, b := range latency {
		s[side].latency[b.Index]++
	}
	for _, b := range v.tick.overdueLatency[side] {
		s[side].latency[b.Index]++
	}
}

// turn ends a period: it joins the window, and the one that is a minute older leaves it.
func (v *view) turn() {
	current := &v.ring[v.next]
	v.next = (v.next + 1) % len(v.ring)
	oldest := &v.ring[v.next]
	for side := range sides {
		v.window[side].add(&current[side])
		v.window[side].remove(&oldest[side])
	}
	*oldest = [sides]scrape{}
}
