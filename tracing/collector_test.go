package tracing

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"haldane/config"
	"haldane/proxy/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test. It is never waited out when the test passes.
const patience = 20 * time.Second

// collecting is a collector that keeps what it is sent.
type collecting struct {
	*httptest.Server
	hang chan struct{} // when not nil, it answers only when this is closed

	mu       sync.Mutex
	requests []*http.Request
	spans    []*spans.Span
	resource []*common.KeyValue
	status   int
}

func newCollector(t *testing.T) *collecting {
	t.Helper()
	c := &collecting{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.take(t, w, r) }))
	t.Cleanup(func() {
		if c.hang != nil {
			close(c.hang)
		}
		c.Close()
	})
	return c
}

func (c *collecting) take(t *testing.T, w http.ResponseWriter, r *http.Request) {
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	body, err := io.ReadAll(unpacked)
	var message collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &message) != nil {
		t.Errorf("not a message of OTLP: %v", err)
		return
	}
	if c.hang != nil {
		<-c.hang
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	w.WriteHeader(c.status)
	if c.status != http.StatusOK {
		return
	}
	for _, of := range message.ResourceSpans {
		c.resource = of.Resource.Attributes
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// all are the spans that have come.
func (c *collecting) all() []*spans.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*spans.Span{}, c.spans...)
}

// answer sets the status of further answers.
func (c *collecting) answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// to are settings for a collector.
func to(url string) *Settings {
	return &Settings{URL: url + "/v1/traces", Service: "haldane", Timeout: patience, Queue: 100}
}

// run runs a tracer until stop is called, which waits for its end.
func run(t *testing.T, s *Settings) (tracer *Tracer, stop func()) {
	t.Helper()
	tracer = New(Options{Version: "v1.2.3"})
	tracer.Use(s)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tracer.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return tracer, stop
}

// await polls a condition that another goroutine brings about.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for tick := time.NewTicker(time.Millisecond); !holds(); {
		select {
		case <-timeout:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// request is the record of a rescued request; n makes its ids.
func request(n uint64) *trace.Request {
	at := time.Unix(1_800_000_000, 0)
	return &trace.Request{
		Own:    trace.Context{Trace: trace.NewID([2]uint64{n, 1}), Span: trace.NewSpanID(2 * n), Flags: trace.Sampled},
		Parent: trace.NewSpanID(77), State: "vendor=1",
		Start: at, End: at.Add(30 * time.Millisecond),
		Method: "GET", Scheme: "https", Host: "shop.example.com:8443", Path: "/cart",
		Service: "shop", Variant: "v2", Reason: "split", Rollout: "r1", Role: "canary", RequestID: "id-1",
		Status: 200, Outcome: "server_error", Rescued: true,
		Tries: []trace.Try{
			{Span: trace.NewSpanID(1000 + n), Start: at, End: at.Add(10 * time.Millisecond), Variant: "v2", Endpoint: "canary.test:80", Status: 503},
			{
				Span: trace.NewSpanID(2000 + n), Cause: trace.Rescue, Start: at.Add(10 * time.Millisecond), End: at.Add(30 * time.Millisecond),
				Variant: "v1", Endpoint: "stable.test:80", Status: 200,
			},
		},
	}
}

// section is a section of the configuration with its defaults.
func section(endpoint string) *config.Tracing {
	return &config.Tracing{Endpoint: endpoint, ServiceName: "edge", Timeout: config.Duration(time.Second), Queue: 5}
}
