package stats

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"
)

// asCollector shows a Collector to the Prometheus library, which checks and encodes what it gives out.
type asCollector struct{ *Collector }

func (c asCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range catalogue() {
		out <- prometheus.NewDesc(d.name, d.help, d.labels, nil)
	}
}

func (c asCollector) Collect(out chan<- prometheus.Metric) {
	descs := make(map[string]*prometheus.Desc)
	for _, d := range catalogue() {
		descs[d.name] = prometheus.NewDesc(d.name, d.help, d.labels, nil)
	}
	for f := range c.Families {
		for _, m := range f.GetMetric() {
			out <- aMetric{descs[f.GetName()], proto.Clone(m).(*dto.Metric)}
		}
	}
}

// aMetric is a copy of a series that was given out.
type aMetric struct {
	desc *prometheus.Desc
	is   *dto.Metric
}

func (m aMetric) Desc() *prometheus.Desc { return m.desc }

func (m aMetric) Write(out *dto.Metric) error {
	proto.Merge(out, m.is)
	return nil
}

// encoded is what Families gives out, each encoded before the next one takes its place.
func encoded(t *testing.T, c *Collector, format expfmt.Format) string {
	t.Helper()
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, format)
	for f := range c.Families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// One family after the other is what the Prometheus library shows, but for the order of the series of a family: they are sorted by service.
func TestFamiliesOneByOne(t *testing.T) {
	r, p, s := example()
	for i := range chunk + 10 {
		r.Service(fmt.Sprint("s", i)).Variant("v").Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, Method: Method(i % 4)})
	}
	c := NewCollector(r, p, s)
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	first := encoded(t, c, format)
	if again := encoded(t, c, format); again != first {
		t.Errorf("the second time it is another text (-first +second):\n%s", cmp.Diff(first, again))
	}
	sortedLines := func(text string) []string { return slices.Sorted(strings.Lines(text)) }
	if diff := cmp.Diff(sortedLines(text(t, c)), sortedLines(first)); diff != "" {
		t.Errorf("(-library +one by one):\n%s", diff)
	}
	names := make([]string, 0, families)
	for f := range c.Families {
		names = append(names, f.GetName())
	}
	if !slices.IsSorted(names) || len(names) != int(families) {
		t.Errorf("%d families: %v", len(names), names)
	}
}

// Whoever has enough gets no more.
func TestFamiliesEnd(t *testing.T) {
	r, p, s := example()
	n := 0
	for range NewCollector(r, p, s).Families {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Error(n)
	}
}

// A label that is no text in UTF-8 costs its bad bytes, and not the scrape.
func TestLabelsAreText(t *testing.T) {
	r := NewRegistry(1)
	r.Service("a\xffb").Variant("v1").Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet})
	if got := text(t, NewCollector(r, nil, nil)); !strings.Contains(got, "service=\"a\uFFFDb\"") {
		t.Error(got)
	}
}
