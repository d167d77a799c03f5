package config

import (
	"net/url"
	"slices"
	"strings"
)

// maxMetrics bounds the metrics of a policy: each one takes from what the others may prove.
const maxMetrics = 4

// metrics checks the business metrics of a policy and gives back their groups.
func (v *validator) metrics(c *Checks, at place) []string {
	var groups []string
	fields := make(map[string]bool)
	for _, name := range names(c.Metrics) {
		in, m := at.key("metrics").key(name), c.Metrics[name]
		v.metricName(name, c, in)
		v.metric(&m, in)
		v.outcomesOf(&m.On, in.key("on"))
		groups = append(groups, m.Group)
		if folded := strings.ToLower(m.Field); folded != "" {
			if fields[folded] {
				v.problems.wrong(in.key("field"), "another metric is read from %s already", m.Field)
			}
			fields[folded] = true
		}
	}
	if len(c.Metrics) > maxMetrics {
		v.problems.wrong(at.key("metrics"), "expected at most %d metrics, got %d", maxMetrics, len(c.Metrics))
	}
	return groups
}

// metricName checks that a metric has a name of its own.
func (v *validator) metricName(name string, c *Checks, at place) {
	v.eventName(name, c, at)
	if _, ok := c.Events[name]; ok {
		v.problems.wrong(at, "there is a check of events that is called %q already", name)
	}
}

func (v *validator) metric(m *MetricCheck, at place) {
	if m.Source == "" && !at.key("source").written() {
		v.needed(at.key("source"), m.Source)
		return
	}
	v.oneOf(at.key("source"), m.Source, SourceField, SourcePosted, SourcePrometheus)
	if m.Direction == "" && !at.key("direction").written() {
		v.needed(at.key("direction"), m.Direction)
	} else {
		v.oneOf(at.key("direction"), m.Direction, DirectionUp, DirectionDown, DirectionBoth)
	}
	if kinds := kindsOf(m.Source); len(kinds) > 0 {
		v.oneOf(at.key("kind"), m.Kind, kinds...)
	}
	v.oneOf(at.key("of"), m.Of, OfAll, OfReported)
	v.metricField(m, at)
	v.metricRange(m, at)
	v.metricQueries(m, at)
	v.metricTolerance(m, at)
	v.name(at.key("group"), "group", m.Group)
	v.atLeast(at.key("min_requests"), m.MinRequests, 0)
	v.windows(m.Window, m.Windows, at)
	v.notBelow(at.key("every"), m.Every, seconds(1))
	v.positive(at.key("stale"), m.Stale)
	v.atLeast(at.key("failures"), m.Failures, 1)
}

// kindsOf are the kinds that a source has.
func kindsOf(source string) []string {
	switch source {
	case SourceField:
		return []string{KindRatio, KindMean, KindSum}
	case SourcePosted:
		return []string{KindRatio, KindMean}
	case SourcePrometheus:
		return []string{KindRatio, KindValue}
	}
	return nil
}

func (v *validator) metricField(m *MetricCheck, at place) {
	in := at.key("field")
	switch {
	case m.Source != SourceField:
		v.absent(in, m.Field, "only a metric of source field has a field")
	case m.Field == "":
		v.needed(in, m.Field)
	default:
		v.check(in, fieldName(m.Field))
	}
}

// absent reports a text that means nothing here.
func (v *validator) absent(at place, text, why string) {
	if text != "" {
		v.problems.wrong(at, "%s", why)
	}
}

// metricRange checks the bounds of single numbers.
func (v *validator) metricRange(m *MetricCheck, at place) {
	largest := at.key("largest")
	switch bounded := m.Kind == KindMean || m.Kind == KindSum; {
	case !bounded && (m.Largest != 0 || m.Smallest != 0):
		v.problems.wrong(at, "smallest and largest are for the kinds mean and sum")
	case bounded && !largest.written():
		v.problems.wrong(at, "largest is missing: what one request can change must be bounded")
	case bounded && m.Largest <= m.Smallest:
		v.problems.wrong(largest, "largest (%s) must be more than smallest (%s)", m.Largest, m.Smallest)
	case m.Kind == KindSum && m.Smallest > 0:
		v.problems.wrong(at.key("smallest"), "a request that reports nothing brings 0, so that smallest cannot be above 0 for a sum")
	case m.Smallest < 0 && m.Relative > 0:
		v.problems.wrong(at.key("relative"), "numbers below 0 have no relative tolerance: set relative to 0%%, and absolute")
	}
}

func (v *validator) metricQueries(m *MetricCheck, at place) {
	const only = "only a metric of source prometheus has queries"
	if m.Source != SourcePrometheus {
		for key, text := range map[string]string{"query": m.Query, "good": m.Good, "total": m.Total} {
			v.absent(at.key(key), text, only)
		}
		return
	}
	needed, others := []string{"good", "total"}, []string{"query"}
	if m.Kind == KindValue {
		needed, others = others, needed
	}
	texts := map[string]string{"query": m.Query, "good": m.Good, "total": m.Total}
	for _, key := range needed {
		switch text := texts[key]; {
		case text == "":
			v.needed(at.key(key), text)
		case !strings.Contains(text, "$variant"):
			v.problems.wrong(at.key(key), "the query has no $variant: it would say the same of both variants")
		}
	}
	for _, key := range others {
		v.absent(at.key(key), texts[key], "a "+m.Kind+" has no "+key)
	}
	if v.c.Prometheus.URL == "" {
		v.problems.wrong(at.key("source"), "there is no Prometheus to ask: prometheus.url is missing")
	}
}

func (v *validator) metricTolerance(m *MetricCheck, at place) {
	switch {
	case m.Absolute < 0:
		v.problems.wrong(at.key("absolute"), "a tolerance cannot be negative, got %s", m.Absolute)
	case m.Kind == KindRatio && m.Absolute >= 1:
		v.problems.wrong(at.key("absolute"), "expected less than 100%%, got %s: a ratio lies between 0 and 1", m.Absolute)
	}
	if m.Direction != DirectionUp && m.Relative >= Whole {
		v.problems.wrong(at.key("relative"), "expected a percentage below 100%%, got %s", m.Relative)
	}
	if m.Kind != KindValue {
		v.absent(at.key("max"), m.Max.String(), "thresholds are for the kind value")
		v.absent(at.key("min"), m.Min.String(), "thresholds are for the kind value")
		return
	}
	if m.Source == SourcePrometheus && !m.Max.Set && !m.Min.Set && m.Relative == 0 && m.Absolute == 0 {
		v.problems.wrong(at, "a value needs a threshold: max, min, or a tolerance (relative, absolute) against stable")
	}
	if m.Max.Set && m.Min.Set && m.Max.Value < m.Min.Value {
		v.problems.wrong(at.key("max"), "max (%s) is less than min (%s)", m.Max.Value, m.Min.Value)
	}
}

// prometheus checks the server that metrics are asked of.
func (v *validator) prometheus(p *Prometheus, at place) {
	if p.URL != "" {
		v.check(at.key("url"), WebAddress(p.URL))
		if u, err := url.Parse(p.URL); err == nil && u.User != nil {
			v.problems.wrong(at.key("url"), "the URL is shown to whoever reads the configuration: leave the password out, use token_file")
		}
	}
	v.positive(at.key("timeout"), p.Timeout)
	if p.URL == "" && p.TokenFile != "" {
		v.problems.wrong(at.key("token_file"), "a token needs a url")
	}
}

// unitedGroups are groups without repetition.
func unitedGroups(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
