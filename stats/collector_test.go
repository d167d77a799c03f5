package stats

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// statuses is a source of rollouts that does not change.
type statuses []RolloutStatus

func (s statuses) RolloutStatuses() []RolloutStatus { return s }

// example is a registry, a process and a rollout with something in every metric.
func example() (*Registry, *Process, statuses) {
	r := NewRegistry(1)
	shop := r.Service("shop")
	stable, canary := shop.Variant("v1"), shop.Variant("v2")
	shop.Reader(3, canary, stable)
	for i := range 20 {
		stable.Begin(0).End(Record{
			Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: time.Duration(i) * time.Millisecond,
			BytesOut: 1000, Lane: Judged(1, 3),
		})
	}
	stable.Begin(0).End(Record{
		Outcome: OutcomeOK, Status: 404, Method: MethodPost, FirstByte: 3 * time.Millisecond,
		BytesIn: 12, BytesOut: 9,
	})
	canary.Begin(0)
	canary.Begin(0).End(Record{
		Outcome: OutcomeServerError, Status: 503, Method: MethodGet, FirstByte: time.Second,
		BytesOut: 20, Lane: Judged(1, 3),
	})
	canary.Begin(0).End(Record{Outcome: OutcomeConnect, Method: MethodOther, Lane: Judged(1, 3)})
	shop.Faults("basket").clipped.Add(4)
	r.Service("quiet").Variant("only")

	p := NewProcess("1.2.3", func() Front {
		return Front{
			Connections: 7, Refused: Refused{Limit: 1, Memory: 2, PerClient: 4, ProxyProtocol: 5, TLS: 6}, Unmatched: 2, Malformed: 3,
			AcceptFailures: 8, StoreFailures: 12, StateLost: true, Shedding: true, Questions: 5, QuestionsFailed: 2, Spans: Spans{Sent: 15, Dropped: 16, Failed: 17}, CertificatesTaken: 9, CertificatesRefused: 10,
			Certificates: []Certificate{{File: "a.crt", Expires: time.Unix(1_900_000_000, 0)}, {File: "a.crt"}},
			Notifications: []Notifications{
				{Target: "room", Results: map[string]uint64{"success": 11, "failure": 12}, Queued: 13, LastSuccess: time.Unix(1_800_000_200, 0)},
				{Target: "quiet"},
			},
			Hooks: []Hook{{Service: "shop", Point: "rollback", Hook: "pager", Answers: map[string]uint64{"yes": 1, "refused": 14, "silent": 0}}},
			Endpoints: []Endpoints{{
				Service: "shop", Variant: "v1", Panics: 2,
				Each: []Endpoint{
					{
						Name: "shop.test:80", Address: "10.0.0.1:80", Up: true, InFlight: 6, Open: 5, Idle: 2, Waiting: 3,
						Waits: 11, Overflows: 4, Ejections: 1, HealthFailures: 8,
					},
					{Name: "gone.test:80"},
				},
				LookupFailures: map[string]uint64{"gone.test:80": 9},
			}},
		}
	})
	p.revision, p.goversion = "abcdef", "go1.26.0"
	p.Reloaded(time.Unix(1_800_000_000, 500e6), nil)
	p.Reloaded(time.Unix(1_800_000_100, 0), errors.New("bad file"))
	return r, p, statuses{{
		Service: "shop", Phase: "progressing", Held: true, SplitRevision: 3,
		Weights: map[string]float64{"v1": 0.95, "v2": 0.05},
		Judged:  true, Score: 0.375, Evidence: 0.25,
		BudgetLeft: map[string]uint64{"failed_requests": 8, "exposed_users": 0}, WeightChanges: 3,
		BudgetLimit: map[string]uint64{"failed_requests": 10, "exposed_users": 500},
		Runs:        map[string]uint64{"marginal": 7, "no_data": 2},
		Rollbacks:   map[string]uint64{"budget": 1, "verdict": 0},
		Metrics:     map[string]bool{"basket": true, "orders": false},
		Parts:       map[string]bool{"cart": true, "item": false},
	}}
}

// gather collects the way the metrics endpoint does, with all checks of the Prometheus library.
func gather(t *testing.T, c *Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(asCollector{c}); err != nil {
		t.Fatal(err)
	}
	list, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]*dto.MetricFamily)
	for _, f := range list {
		all[f.GetName()] = f
	}
	return all
}

// text is the exposition in the text format.
func text(t *testing.T, c *Collector) string {
	t.Helper()
	return textAs(t, c, "")
}

// textAs is the exposition in the format that is asked for.
func textAs(t *testing.T, c *Collector, accept string) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(asCollector{c}); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, body)
	}
	return string(body)
}

func TestCollectorGolden(t *testing.T) {
	const path = "testdata/metrics.txt"
	r, p, s := example()
	got := text(t, NewCollector(r, p, s))
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
	}
}

func TestCollectorWithoutSources(t *testing.T) {
	all := gather(t, NewCollector(NewRegistry(0), nil, nil))
	if len(all) != 0 {
		t.Errorf("%d metrics of nothing", len(all))
	}
}

// Series of a variant are there before its first request, and gone when it is.
func TestSeriesComeAndGo(t *testing.T) {
	r := NewRegistry(0)
	r.Service("shop").Variant("v1")
	r.Service("shop").Variant("v2")
	c := NewCollector(r, nil, nil)
	has := func(series string) bool { return strings.Contains(text(t, c), series) }
	for _, series := range []string{
		`haldane_requests_total{code="2xx",method="GET",service="shop",variant="v2"} 0`,
		`haldane_requests_total{code="5xx",method="GET",service="shop",variant="v2"} 0`,
		`haldane_request_outcomes_total{outcome="truncated",service="shop",variant="v2"} 0`,
		`haldane_upstream_errors_total{reason="timeout",service="shop",variant="v2"} 0`,
		`haldane_request_duration_seconds_count{service="shop",variant="v2"} 0`,
	} {
		if !has(series) {
			t.Errorf("missing: %s", series)
		}
	}
	r.Keep(map[string][]string{"shop": {"v1"}})
	if has(`variant="v2"`) || !has(`variant="v1"`) {
		t.Error("v2 has left the configuration, v1 has not")
	}
	r.Keep(nil)
	if has("shop") {
		t.Error("the service has left the configuration")
	}
}

// Two lanes, two shards or two scrapes at once change nothing in what Prometheus sees.
func TestCollectorAddsUpLanes(t *testing.T) {
	r := NewRegistry(4)
	s := r.Service("shop")
	v := s.Variant("v1")
	s.Reader(2, v, s.Variant("v0"))
	for i := range uint64(8) {
		for _, lane := range []Lane{Unjudged, Judged(1, 2), Judged(2, 2), Judged(1, 1)} {
			v.Begin(i).End(Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, FirstByte: 20 * time.Millisecond, Lane: lane})
		}
	}
	got := text(t, NewCollector(r, nil, nil))
	for _, series := range []string{
		`haldane_requests_total{code="2xx",method="GET",service="shop",variant="v1"} 32`,
		`haldane_request_outcomes_total{outcome="ok",service="shop",variant="v1"} 32`,
		`haldane_request_duration_seconds_sum{service="shop",variant="v1"} 0.64`,
		`haldane_request_duration_seconds_count{service="shop",variant="v1"} 32`,
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="0.01"} 0`,
		`haldane_request_duration_seconds_bucket{service="shop",variant="v1",le="0.025"} 32`,
		`haldane_requests_in_flight{service="shop",variant="v1"} 0`,
	} {
		if !strings.Contains(got, series+"\n") {
			t.Errorf("missing: %s", series)
		}
	}
}

// The Prometheus library's own histogram, given the middles of our buckets, shows the same.
func TestHistogramAgainstPrometheus(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	for round := range 50 {
		theirs := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "x", Buckets: classicBounds(), NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 10_000,
		})
		var ours Histogram
		for range rng.IntN(300) {
			i := rng.IntN(Buckets)
			if round%2 == 0 {
				i = 1200 + rng.IntN(600)
			}
			ours.counts[i]++
			ours.count++
			theirs.Observe(bucketMiddle(i) / 1e6)
		}
		var metric dto.Metric
		if err := theirs.Write(&metric); err != nil {
			t.Fatal(err)
		}
		l := newLayout()
		want, got := describe(metric.GetHistogram()), describe(l.render(&ours))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d (-want +got): %s", round, diff)
		}
	}
}

// describe writes out what a histogram counts, and not how its native buckets are cut into spans.
func describe(h *dto.Histogram) []string {
	lines := []string{fmt.Sprintf("schema %d zero %d count %d", h.GetSchema(), h.GetZeroCount(), h.GetSampleCount())}
	for _, b := range h.GetBucket() {
		lines = append(lines, fmt.Sprintf("le %v: %d", b.GetUpperBound(), b.GetCumulativeCount()))
	}
	deltas := h.GetPositiveDelta()
	var key int32
	var count int64
	for _, span := range h.GetPositiveSpan() {
		key += span.GetOffset()
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			if count > 0 {
				lines = append(lines, fmt.Sprintf("native %d: %d", key, count))
			}
			key++
		}
	}
	if len(deltas) > 0 {
		lines = append(lines, fmt.Sprintf("%d deltas are left over", len(deltas)))
	}
	return lines
}

// An empty native histogram must not look like a classic one.
func TestEmptyHistogramIsNative(t *testing.T) {
	l := newLayout()
	if got := l.render(new(Histogram)); len(got.GetPositiveSpan()) == 0 || len(got.GetPositiveDelta()) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPromtoolCheckMetrics(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("HALDANE_REQUIRE_TOOLS") == "1" {
			t.Fatal("promtool is missing, and HALDANE_REQUIRE_TOOLS=1 wants it (Debian package prometheus)")
		}
		t.Skip("SKIPPED: promtool is not installed (Debian package prometheus), the metrics were not linted")
	}
	r, p, s := example()
	command := exec.Command(tool, "check", "metrics")
	command.Stdin = strings.NewReader(text(t, NewCollector(r, p, s)))
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// The document names every metric with its type and labels, and no other; the example shows each of them.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, declared []string
	row := regexp.MustCompile("(?m)^\\| `(haldane_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\| [^|]+ \\|$")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		labels := strings.NewReplacer("`", "", " ", "").Replace(m[3])
		documented = append(documented, fmt.Sprintf("%s %s {%s}", m[1], m[2], labels))
	}
	r, p, s := example()
	shown := gather(t, NewCollector(r, p, s))
	for _, d := range catalogue() {
		declared = append(declared, fmt.Sprintf("%s %s {%s}", d.name, d.kind, strings.Join(d.labels, ",")))
		f, ok := shown[d.name]
		if !ok {
			t.Errorf("%s is never shown", d.name)
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != string(d.kind) {
			t.Errorf("%s is shown as a %s, declared as a %s", d.name, got, d.kind)
		}
		delete(shown, d.name)
	}
	for name := range shown {
		t.Errorf("%s is shown and not declared", name)
	}
	slices.Sort(documented)
	slices.Sort(declared)
	if diff := cmp.Diff(declared, documented); diff != "" {
		t.Errorf("docs/METRICS.md and the collector differ (-collector +document): %s", diff)
	}
	for _, o := range Outcomes() {
		if !strings.Contains(string(page), "`"+o.String()+"`") {
			t.Errorf("docs/METRICS.md does not explain the outcome %s", o)
		}
	}
}
