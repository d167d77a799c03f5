package admin

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// What is shown is what the Prometheus library shows, in all formats, whether it comes at once or one metric after the other.
func TestExposition(t *testing.T) {
	f := newFake()
	o := options(f)
	registry := prometheus.NewRegistry()
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "a_total", Help: "A."}, []string{"label"})
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "b_seconds", Help: "B.", NativeHistogramBucketFactor: 1.1, Buckets: []float64{0.1, 1}})
	registry.MustRegister(counters, latency)
	counters.WithLabelValues("x\"\n").Add(3)
	counters.WithLabelValues("y").Add(4.5)
	latency.(prometheus.ExemplarObserver).ObserveWithExemplar(0.05, prometheus.Labels{"trace_id": "aa"})
	o.Gatherer = prometheus.NewRegistry()
	o.Families = func(yield func(*dto.MetricFamily) bool) {
		all, err := registry.Gather()
		if err != nil {
			t.Error(err)
		}
		for _, one := range all {
			if !yield(one) {
				return
			}
		}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	library := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	for _, accept := range []string{
		"", "text/plain", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		for _, encoding := range []string{"", "gzip", "deflate, gzip;q=1.0, *;q=0.5", "br, identity", "gzip;q=0"} {
			for _, query := range []string{"", "?name[]=a_total"} {
				want, got := scraped(t, library, accept, encoding, query), scraped(t, http.HandlerFunc(s.metrics), accept, encoding, query)
				if got != want || got.body == "" {
					t.Errorf("%q, %q, %q:\n%+v, the library:\n%+v", accept, encoding, query, got, want)
				}
			}
		}
	}
}

// scrape is an answer with metrics.
type scrape struct{ kind, encoding, body string }

func scraped(t *testing.T, handler http.Handler, accept, encoding, query string) scrape {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics"+query, nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var body io.Reader = w.Body
	if w.Header().Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = unzipped
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK || strings.Join(w.Header().Values("Vary"), ", ") != "Accept, Accept-Encoding" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	return scrape{w.Header().Get("Content-Type"), w.Header().Get("Content-Encoding"), string(text)}
}

// A scraper that has left is not collected for to the end.
func TestExpositionForNobody(t *testing.T) {
	f := newFake()
	o := options(f)
	shown := 0
	name, help, kind, value := "a_total", strings.Repeat("x", expositionBuffer), dto.MetricType_COUNTER, 1.0
	family := &dto.MetricFamily{Name: &name, Help: &help, Type: &kind, Metric: []*dto.Metric{{Counter: &dto.Counter{Value: &value}}}}
	o.Families = func(yield func(*dto.MetricFamily) bool) {
		for range 100 {
			if shown++; !yield(family) {
				return
			}
		}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.metrics(gone{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if shown > 2 {
		t.Errorf("%d were made", shown)
	}
}

// gone is a client that takes nothing.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
