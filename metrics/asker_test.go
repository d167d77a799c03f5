package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vector is an answer with one number.
func vector(value string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.1,"` + value + `"]}]}}`
}

func TestNumbersOfAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		want   float64
		err    string
	}{
		{200, vector("12.5"), 12.5, ""},
		{200, `{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}`, 3, ""},
		{200, vector("NaN"), 0, "the result is NaN, which is no number"},
		{200, vector("+Inf"), 0, "the result is +Inf, which is no number"},
		{200, `{"status":"success","data":{"resultType":"vector","result":[]}}`, 0, "the result is empty"},
		{200, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}`, 0, "2 series"},
		{200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, "a matrix, where a number is wanted"},
		{400, `{"status":"error","errorType":"bad_data","error":"parse error"}`, 0, "it says: parse error"},
		{503, `overloaded`, 0, "it answers 503"},
		{302, ``, 0, "it answers 302"},
		{200, `{`, 0, "cannot be read"},
		{200, `{"status":"success","data":{"resultType":"scalar","result":["x"]}}`, 0, "cannot be read"},
		{200, `{}`, 0, "status"},
	} {
		got, err := number(c.status, []byte(c.text))
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%d %s: %v, %v, want %v, %q", c.status, c.text, got, err, c.want, c.err)
		}
	}
}

func FuzzNumber(f *testing.F) {
	f.Add(vector("1"))
	f.Add(`{"status":"success","data":{"resultType":"vector","result":[{"value":null}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := number(200, []byte(text)); err == nil && (n != n || n-n != 0) {
			t.Errorf("%q is %v", text, n)
		}
	})
}

func TestCountersAreDifferences(t *testing.T) {
	before := &counters{10, 100, 20.4, 200}
	for _, c := range []struct {
		now            counters
		before         *counters
		canary, stable rollout.Totals
	}{
		{counters{15, 130, 21.6, 210}, before, rollout.Totals{Good: 5, Total: 30}, rollout.Totals{Good: 1, Total: 10}},
		{counters{15, 130, 21, 210}, nil, rollout.Totals{}, rollout.Totals{}},
		{counters{15, 130, 21, 3}, before, rollout.Totals{}, rollout.Totals{}}, // a restart
	} {
		canary, stable := c.now.since(c.before)
		if canary != c.canary || stable != c.stable {
			t.Errorf("%+v: %+v, %+v", c.now, canary, stable)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	got := place(`sum(o{v="$variant",s="$service"}) / $variant`, "shop", "v2")
	if want := `sum(o{v="v2",s="shop"}) / v2`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// board asks what it is given and keeps the answers.
type board struct {
	mu        sync.Mutex
	questions []rollout.Query
	answers   chan rollout.Reading
}

func (b *board) Queries() []rollout.Query {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.questions
}

func (b *board) Read(_ rollout.Query, a rollout.Reading) { b.answers <- a }

// next is the next answer.
func (b *board) next(t *testing.T) rollout.Reading {
	t.Helper()
	select {
	case a := <-b.answers:
		return a
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
	}
	return rollout.Reading{}
}

// until waits for an answer with this problem.
func (b *board) until(t *testing.T, problem string) {
	t.Helper()
	for got := "?"; got != problem; {
		got = b.next(t).Problem
	}
}

// asking runs an Asker on a question and a server.
func asking(t *testing.T, check config.MetricCheck, p config.Prometheus) *board {
	t.Helper()
	check.Source, check.Every = config.SourcePrometheus, config.Duration(time.Second)
	b := &board{answers: make(chan rollout.Reading, 100), questions: []rollout.Query{{
		Service: "shop", Rollout: "r1", Metric: "m", Stable: "v1", Canary: "v2", Check: check,
	}}}
	a := New(Options{Rollouts: b, Logger: zap.NewNop()})
	a.Use(p)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

// A value is asked of both variants, with the token, for the same moment; then the server fails, and is back.
func TestAsking(t *testing.T) {
	var mu sync.Mutex
	times, broken := make(map[string]int), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/base/api/v1/query" || r.Header.Get("Authorization") != "Bearer secret" || r.Method != http.MethodPost {
			t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		times[r.FormValue("time")]++
		switch {
		case broken:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.FormValue("query") == `q{v="v2"}`:
			fmt.Fprint(w, vector("7"))
		default:
			fmt.Fprint(w, vector("3"))
		}
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := asking(t, config.MetricCheck{Kind: config.KindValue, Query: `q{v="$variant"}`},
		config.Prometheus{URL: server.URL + "/base/", TokenFile: token, Timeout: config.Duration(5 * time.Second)})
	if diff := cmp.Diff(rollout.Reading{CanaryValue: 7, StableValue: 3}, b.next(t)); diff != "" {
		t.Error(diff)
	}
	mu.Lock()
	for at, n := range times {
		if n != 2 {
			t.Errorf("%d queries for %s", n, at)
		}
	}
	broken = true
	mu.Unlock()
	b.until(t, "Prometheus: it answers 503")
	mu.Lock()
	broken = false
	mu.Unlock()
	b.until(t, "")
}

// Counters become differences: the first answer is where they begin.
func TestAskingForCounters(t *testing.T) {
	var mu sync.Mutex
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
		round := (n-1)/4 + 1
		fmt.Fprint(w, vector(fmt.Sprint(map[string]int{"good v1": 40, "total v1": 100, "good v2": 36, "total v2": 90}[r.FormValue("query")]*round)))
	}))
	defer server.Close()
	b := asking(t, config.MetricCheck{Kind: config.KindRatio, Good: "good $variant", Total: "total $variant"},
		config.Prometheus{URL: server.URL, Timeout: config.Duration(5 * time.Second)})
	if got := b.next(t); got != (rollout.Reading{}) {
		t.Errorf("%+v", got)
	}
	want := rollout.Reading{Canary: rollout.Totals{Good: 36, Total: 90}, Stable: rollout.Totals{Good: 40, Total: 100}}
	if diff := cmp.Diff(want, b.next(t)); diff != "" {
		t.Error(diff)
	}
}

// A server that is not there, one that does not answer in time, one that says too much and one that sends us elsewhere are problems.
func TestAskingInVain(t *testing.T) {
	release := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer mute.Close()
	defer close(release)
	talkative := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat(" ", largestAnswer+10))
	}))
	defer talkative.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(talkative.URL, http.StatusFound))
	defer elsewhere.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, want := range map[string]string{
		mute.URL: "deadline exceeded", talkative.URL: "more than", elsewhere.URL: "it answers 302", gone.URL: "refused", "": "prometheus.url is missing",
	} {
		b := asking(t, config.MetricCheck{Kind: config.KindValue, Query: "$variant"},
			config.Prometheus{URL: url, Timeout: config.Duration(100 * time.Millisecond)})
		if got := b.next(t).Problem; !strings.Contains(got, want) || url != "" && strings.Contains(got, url) {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
