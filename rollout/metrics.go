package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// What follows the name of a metric of which both directions are harm.
const (
	suffixUp   = " up"
	suffixDown = " down"
)

// metricNames are the names of the business metrics. A configuration has no more of them than can be counted.
func metricNames(c *config.Checks) []string {
	names := slices.Sorted(maps.Keys(c.Metrics))
	return names[:min(len(names), stats.MaxMeasures)]
}

// reported are the names of those that backends report in response fields, in the order of their places.
func reported(c *config.Checks) []string {
	return slices.DeleteFunc(metricNames(c), func(name string) bool { return c.Metrics[name].Source != config.SourceField })
}

// measures are the rules by which they are read.
func measures(c *config.Checks) []stats.Measure {
	var list []stats.Measure
	for _, name := range reported(c) {
		m := c.Metrics[name]
		one := stats.Measure{Name: name, Field: m.Field, Smallest: float64(m.Smallest), Largest: float64(m.Largest)}
		if m.Kind == config.KindRatio {
			one.Smallest, one.Largest, one.Binary = 0, 1, true
		}
		list = append(list, one)
	}
	return list
}

// sameMeasures says whether numbers count as the same thing, at the same place, by both.
func sameMeasures(a, b *config.Checks) bool {
	return slices.EqualFunc(reported(a), reported(b), func(x, y string) bool {
		return x == y && metricMeaning(a.Metrics[x]) == metricMeaning(b.Metrics[y])
	})
}

// metricChecks are the checks of all business metrics. Those that are shares of requests are events to the judge, numbered after
// the events of the policy.
func metricChecks(c *config.Checks) []analysis.Check {
	var list []analysis.Check
	place := 0
	for _, name := range metricNames(c) {
		m := c.Metrics[name]
		check := metricCheck(name, &m)
		if m.Source == config.SourceField {
			place++
			if m.Kind == config.KindRatio {
				check.Event = len(eventNames(c)) + place
			} else {
				check.Metric.Values = place
			}
		}
		list = append(list, directed(check, &m)...)
	}
	return list
}

// metricCheck is what both directions of a metric have in common.
func metricCheck(name string, m *config.MetricCheck) analysis.Check {
	check := analysis.Check{
		Name: name, Relative: m.Relative.Ratio(), Absolute: float64(m.Absolute), Words: m.Words,
		Critical: fatal(&m.On, m.Critical), Muted: m.Muted, Group: m.Group,
		MinRequests: uint64(max(1, m.MinRequests)), Window: time.Duration(m.Window), Windows: m.Windows,
	}
	switch {
	case m.Kind == config.KindValue:
		check.Metric = analysis.Metric{
			Kind: analysis.MetricReading, Max: threshold(m.Max), Min: threshold(m.Min), Failures: m.Failures,
		}
	case m.Source == config.SourceField && m.Kind == config.KindRatio:
		check.Metric.Kind = analysis.MetricShare
	case m.Source == config.SourceField:
		check.Metric.Kind = analysis.MetricMean
	default:
		check.Metric.Kind = analysis.MetricGiven
	}
	if m.Source != config.SourceField {
		check.Metric.Feed, check.Metric.Stale = name, time.Duration(m.Stale)
	}
	if low, high := float64(m.Smallest), float64(m.Largest); low < high {
		// The judge knows numbers from 0 to 1: a part of the number itself is a part of what is above the smallest, and more.
		check.Metric.Low, check.Metric.High = low, high
		check.Absolute = min(1, (check.Absolute+check.Relative*low)/(high-low))
	}
	return check
}

// directed are the checks of a metric: one for each direction that is harm.
func directed(check analysis.Check, m *config.MetricCheck) []analysis.Check {
	up, down := check, check
	down.Metric.Falls = true
	if m.Direction == config.DirectionBoth {
		up.Name, down.Name = check.Name+suffixUp, check.Name+suffixDown
		up.Metric.Min, down.Metric.Max = analysis.Threshold{}, analysis.Threshold{}
	}
	up.Meaning, down.Meaning = metricMeaning(*m)+" up", metricMeaning(*m)+" down"
	switch m.Direction {
	case config.DirectionUp:
		return []analysis.Check{up}
	case config.DirectionDown:
		return []analysis.Check{down}
	}
	return []analysis.Check{up, down}
}

func threshold(l config.Limit) analysis.Threshold {
	return analysis.Threshold{Value: float64(l.Value), Set: l.Set}
}

// metricMeaning is what a metric counts, in words that are the same when the same is counted.
func metricMeaning(m config.MetricCheck) string {
	return fmt.Sprintf("%s %s %s of %s from %s to %s, %q %q %q, max %q min %q",
		m.Source, m.Kind, strings.ToLower(m.Field), m.Of, m.Smallest, m.Largest, m.Query, m.Good, m.Total, m.Max, m.Min)
}

// measuring hands the numbers of response fields to the judge.
type measuring struct {
	metrics []config.MetricCheck // by place; none is the usual case and costs nothing
	sides   [stratumSegment][2]measuredSide
}

// measuredSide is the buffers of one side of a stratum, used again at each look.
type measuredSide struct {
	events []analysis.Counts
	values []analysis.Sums
	// ahead is, by place, how many more requests it happened to than have ended: a number may be told a look before its request.
	ahead [stats.MaxMeasures]int64
}

// use takes the metrics of the policy in force.
func (m *measuring) use(c *config.Checks) {
	*m = measuring{}
	for _, name := range reported(c) {
		m.metrics = append(m.metrics, c.Metrics[name])
	}
}

// fill puts the new numbers into a block that has its counts and its events.
func (m *measuring) fill(reader *stats.Reader, b *analysis.Block) {
	if len(m.metrics) == 0 {
		return
	}
	canary, stable := reader.Measured(b.Stratum)
	sides := &m.sides[b.Stratum-1]
	b.CanaryEvents, b.CanaryValues = sides[0].fill(m.metrics, &canary, b.Canary, b.CanaryEvents)
	b.StableEvents, b.StableValues = sides[1].fill(m.metrics, &stable, b.Stable, b.StableEvents)
}

func (s *measuredSide) fill(
	metrics []config.MetricCheck, numbers *[stats.MaxMeasures]stats.Sums, requests analysis.Counts, events []analysis.Counts,
) ([]analysis.Counts, []analysis.Sums) {
	s.events, s.values = append(s.events[:0], events...), s.values[:0]
	for place := range metrics {
		m, sums := &metrics[place], analysis.Sums(numbers[place])
		if m.Of == config.OfAll && m.Kind == config.KindRatio || m.Kind == config.KindSum {
			sums = perRequest(m, sums, requests)
		}
		good := int64(sums.Sum + 0.5)
		rest := int64(sums.Count) - good - s.ahead[place]
		s.ahead[place] = max(0, -rest)
		s.events = append(s.events, analysis.Counts{Bad: uint64(good), Good: uint64(max(0, rest))})
		s.values = append(s.values, sums)
	}
	return s.events, s.values
}

// perRequest are the sums over all requests, where those that report nothing bring 0.
func perRequest(m *config.MetricCheck, sums analysis.Sums, requests analysis.Counts) analysis.Sums {
	all := requests.Bad + requests.Good
	if low, high := float64(m.Smallest), float64(m.Largest); low < 0 && low < high { // 0 is not the smallest
		zero := -low / (high - low)
		silent := float64(all) - float64(sums.Count)
		sums.Sum += silent * zero
		sums.Squares += silent * zero * zero
	}
	sums.Count = all
	return sums
}

// waitsForMetrics lists the critical metrics that are not known: what is not known never lets more users in.
func (s *State) waitsForMetrics() []string {
	var list []string
	compared, stage := s.shares().compared(), s.stage()
	for i := range s.Verdict.Checks {
		c := &s.Verdict.Checks[i]
		if c.Metric && c.Critical && c.Class == analysis.NoData && (compared || c.Threshold) && counts(&stage, c.Name) && s.ordered(c) == "" {
			list = append(list, fmt.Sprintf("the metric %s has no data: %s", c.Name, c.Sentence))
		}
	}
	return list
}
