package stats

import (
	"slices"
	"strings"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
)

const (
	// mostLabels is how many labels a series has at most.
	mostLabels = 5
	// chunk is how many series are kept in one piece: with one piece for all, most of a scrape would be moving them.
	chunk = 512
)

// sample is one series as it is kept until its family is shown: its labels in the order of the catalogue, and a number or a histogram.
type sample struct {
	labels    [mostLabels]string
	value     float64
	histogram *dto.Histogram
}

// series are those of one family.
type series struct {
	chunks [][]sample
	length int
}

// add makes room for one more.
func (s *series) add() *sample {
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last]) == cap(s.chunks[last]) {
		room := chunk
		if last < 0 {
			room = 8 // most families have few
		}
		s.chunks = append(s.chunks, make([]sample, 0, room))
		last++
	}
	s.length++
	s.chunks[last] = append(s.chunks[last], sample{})
	return &s.chunks[last][len(s.chunks[last])-1]
}

// form is what the series of a family have in common, in the words of Prometheus.
type form struct {
	name, help string
	kind       dto.MetricType
	labels     []formLabel // by name
}

// formLabel is a label and where it stands in the catalogue.
type formLabel struct {
	name string
	from int
}

func newForm(d description) form {
	f := form{name: d.name, help: d.help}
	switch d.kind {
	case counter:
		f.kind = dto.MetricType_COUNTER
	case gauge:
		f.kind = dto.MetricType_GAUGE
	default:
		f.kind = dto.MetricType_HISTOGRAM
	}
	for i, name := range d.labels {
		f.labels = append(f.labels, formLabel{name, i})
	}
	slices.SortFunc(f.labels, func(a, b formLabel) int { return strings.Compare(a.name, b.name) })
	return f
}

// page is one family after the other in the words of Prometheus. What one family needed serves the next: there may be a million series,
// and each takes half a kilobyte in that form.
type page struct {
	family   dto.MetricFamily
	metrics  []dto.Metric
	shown    []*dto.Metric
	labels   []dto.LabelPair
	pairs    []*dto.LabelPair
	counters []dto.Counter
	gauges   []dto.Gauge
}

// show is a family with its series. It is good until the next one.
func (p *page) show(f *form, all *series) *dto.MetricFamily {
	p.metrics, p.shown = fit(p.metrics, all.length), p.shown[:0]
	p.labels, p.pairs = fit(p.labels, all.length*len(f.labels)), p.pairs[:0]
	p.counters, p.gauges = fit(p.counters, all.length), fit(p.gauges, all.length)
	for _, list := range all.chunks {
		for i := range list {
			p.add(f, &list[i])
		}
	}
	p.family.Name, p.family.Help, p.family.Type, p.family.Metric = &f.name, &f.help, &f.kind, p.shown
	return &p.family
}

// add shows one more series.
func (p *page) add(f *form, s *sample) {
	from := len(p.pairs)
	for i := range f.labels {
		label := &p.labels[len(p.pairs)]
		label.Name, label.Value = &f.labels[i].name, &s.labels[f.labels[i].from]
		p.pairs = append(p.pairs, label)
	}
	n := len(p.shown)
	m := &p.metrics[n]
	m.Label, m.Counter, m.Gauge, m.Histogram = p.pairs[from:len(p.pairs):len(p.pairs)], nil, nil, s.histogram
	switch f.kind {
	case dto.MetricType_COUNTER:
		p.counters[n].Value, m.Counter = &s.value, &p.counters[n]
	case dto.MetricType_GAUGE:
		p.gauges[n].Value, m.Gauge = &s.value, &p.gauges[n]
	}
	p.shown = append(p.shown, m)
}

// fit is a slice of that length, the same one if it can be.
func fit[T any](list []T, length int) []T {
	if cap(list) < length {
		return make([]T, length)
	}
	return list[:length]
}

// labelText is a value of a label as it can be shown.
func labelText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, string(utf8.RuneError))
}
