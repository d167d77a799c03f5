package app_test

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collecting is a collector of spans.
type collecting struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*spans.Span
}

func newCollector(t *testing.T) *collecting {
	t.Helper()
	c := &collecting{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
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
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range message.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named are the spans with a trace id, by kind.
func (c *collecting) named(id string) (server, clients []*spans.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		switch {
		case hex.EncodeToString(span.TraceId) != id:
		case span.Kind == spans.Span_SPAN_KIND_SERVER:
			server = append(server, span)
		default:
			clients = append(clients, span)
		}
	}
	return server, clients
}

// attribute is the text of an attribute.
func attribute(span *spans.Span, name string) string {
	for _, a := range span.Attributes {
		if a.Key == name {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// A request that is rescued is seen as a whole by the collector: one span of the proxy, and one of each try, which is what the
// endpoints were told. A reload that moves to another collector, and the stop, lose nothing.
func TestTracing(t *testing.T) {
	stable, canary := newBackend(t, "v1"), newBackend(t, "v2")
	told := make(chan string, 10)
	tell := func(status int) *http.HandlerFunc {
		handle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			told <- r.Header.Get("traceparent")
			w.WriteHeader(status)
		})
		return &handle
	}
	stable.handle.Store(tell(200))
	canary.handle.Store(tell(503))
	first, second := newCollector(t), newCollector(t)
	text := release(stable, canary, "", rescued+"\n    pins: [{header: X-Version}]")
	section := "listen: {address: \"127.0.0.1:0\", trusted_proxies: [127.0.0.1]}\ntracing: {endpoint: URL, sample: 0}\n"
	text = strings.Replace(text, "listen: {address: \"127.0.0.1:0\"}\n", section, 1)
	i := launch(t, strings.Replace(text, "URL", first.URL, 1))
	client := newClient(t)
	ask := func(id, flag string) {
		t.Helper()
		got := i.get(client, func(r *http.Request) {
			r.Header.Set("X-Version", "v2")
			r.Header.Set("Traceparent", "00-"+id+"-00f067aa0ba902b7-"+flag)
		})
		if got.status != 200 || got.variant != "v1" {
			t.Fatalf("got %+v", got)
		}
	}
	one, two, three := strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32)
	ask(one, "01")
	toCanary, toStable := <-told, <-told
	ask(two, "00")
	if got := []string{<-told, <-told}; got[0] != "00-"+two+"-00f067aa0ba902b7-00" || got[1] != got[0] {
		t.Errorf("what is not sampled was told as %q", got)
	}
	writeConfig(t, i.config, strings.Replace(text, "URL", second.URL, 1))
	if err := i.Reload(); err != nil {
		t.Fatal(err)
	}
	ask(three, "01")
	exemplar := i.openMetrics(t)
	i.stop()

	server, clients := first.named(one)
	if len(server) != 1 || len(clients) != 2 {
		t.Fatalf("%d spans of the request and %d of tries", len(server), len(clients))
	}
	if s := server[0]; attribute(s, "haldane.service") != "shop" || attribute(s, "haldane.variant") != "v2" || attribute(s, "haldane.reason") != "pin" ||
		attribute(s, "haldane.role") != "canary" || attribute(s, "haldane.rollout") == "" || len(s.Events) != 1 {
		t.Errorf("the span of the request: %v", s)
	}
	for n, parent := range []string{toCanary, toStable} {
		if want := "00-" + one + "-" + hex.EncodeToString(clients[n].SpanId) + "-01"; parent != want {
			t.Errorf("try %d was told %s, its span is %s", n, parent, want)
		}
	}
	if server, clients := second.named(three); len(server) != 1 || len(clients) != 2 {
		t.Errorf("the second collector has %d and %d spans", len(server), len(clients))
	}
	for _, c := range []*collecting{first, second} {
		if server, _ := c.named(two); len(server) != 0 {
			t.Error("what was not sampled was sent")
		}
	}
	if !strings.Contains(exemplar, `# {trace_id="`+one+`"}`) && !strings.Contains(exemplar, `# {trace_id="`+three+`"}`) {
		t.Error("no latency has an example")
	}
}

// openMetrics is the exposition with examples.
func (i *instance) openMetrics(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+i.AdminAddress().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := newClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
