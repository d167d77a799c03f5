package tracing

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"

	"haldane/config"
)

// words are attributes as text.
func words(list []*common.KeyValue) map[string]string {
	all := make(map[string]string, len(list))
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			all[a.Key] = fmt.Sprint(v.BoolValue)
		}
	}
	return all
}

// The spans of a rescued request, as a collector decodes them.
func TestSpans(t *testing.T) {
	c := newCollector(t)
	s := to(c.URL)
	s.Headers = map[string]string{"Authorization": "Bearer collector"}
	tracer, stop := run(t, s)
	r := request(9)
	tracer.Record(r)
	stop()
	got := c.all()
	if len(got) != 3 {
		t.Fatalf("%d spans", len(got))
	}
	first, second, server := got[0], got[1], got[2]
	for _, span := range got {
		if hex.EncodeToString(span.TraceId) != r.Own.Trace.String() || span.TraceState != "vendor=1" || span.Name != "GET" {
			t.Errorf("trace %x, state %q, name %q", span.TraceId, span.TraceState, span.Name)
		}
	}
	if server.Kind != spans.Span_SPAN_KIND_SERVER || hex.EncodeToString(server.SpanId) != r.Own.Span.String() ||
		hex.EncodeToString(server.ParentSpanId) != r.Parent.String() {
		t.Errorf("the span of the request: %v", server)
	}
	for i, span := range []*spans.Span{first, second} {
		if span.Kind != spans.Span_SPAN_KIND_CLIENT || hex.EncodeToString(span.SpanId) != r.Tries[i].Span.String() ||
			hex.EncodeToString(span.ParentSpanId) != r.Own.Span.String() || span.StartTimeUnixNano != uint64(r.Tries[i].Start.UnixNano()) ||
			span.EndTimeUnixNano != uint64(r.Tries[i].End.UnixNano()) {
			t.Errorf("the span of try %d: %v", i, span)
		}
	}
	if first.Status.Code != spans.Status_STATUS_CODE_ERROR || second.Status.GetCode() != spans.Status_STATUS_CODE_UNSET ||
		server.Status.GetCode() != spans.Status_STATUS_CODE_UNSET {
		t.Errorf("status %v, %v, %v", first.Status, second.Status, server.Status)
	}
	if len(server.Events) != 1 || server.Events[0].Name != "haldane.rescue" || words(server.Events[0].Attributes)["haldane.variant"] != "v1" {
		t.Errorf("events %v", server.Events)
	}
	for _, c := range []struct {
		what string
		got  []*common.KeyValue
		want map[string]string
	}{
		{"server", server.Attributes, map[string]string{
			"http.request.method": "GET", "url.scheme": "https", "url.path": "/cart", "server.address": "shop.example.com",
			"server.port": "8443", "http.response.status_code": "200", "haldane.service": "shop", "haldane.variant": "v2",
			"haldane.reason": "split", "haldane.rollout": "r1", "haldane.role": "canary", "haldane.outcome": "server_error",
			"haldane.request_id": "id-1", "haldane.rescued": "true",
		}},
		{"first", first.Attributes, map[string]string{
			"http.request.method": "GET", "haldane.service": "shop", "haldane.variant": "v2", "server.address": "canary.test",
			"server.port": "80", "http.response.status_code": "503", "error.type": "503",
		}},
		{"second", second.Attributes, map[string]string{
			"http.request.method": "GET", "haldane.service": "shop", "haldane.variant": "v1", "server.address": "stable.test",
			"server.port": "80", "http.response.status_code": "200", "haldane.cause": "rescue",
		}},
		{"resource", c.resource, map[string]string{"service.name": "haldane", "service.version": "v1.2.3"}},
	} {
		if diff := cmp.Diff(c.want, words(c.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
	if got := c.requests[0]; got.URL.Path != "/v1/traces" || got.Header.Get("Authorization") != "Bearer collector" ||
		got.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("sent %s with %v", got.URL, got.Header)
	}
	if n := tracer.Numbers(); n != (Numbers{Sent: 3}) {
		t.Errorf("numbers %+v", n)
	}
}

// A root without a parent, with a method that a client made up and no answer.
func TestSpansOfAFailure(t *testing.T) {
	c := newCollector(t)
	tracer, stop := run(t, to(c.URL))
	r := request(1)
	r.Parent, r.State, r.Method, r.Status, r.Error, r.Tries, r.Rescued = [8]byte{}, "", "BREW", 502, "connect", r.Tries[:1], false
	r.Tries[0].Status, r.Tries[0].Error = 0, "connect"
	tracer.Record(r)
	stop()
	got := c.all()
	if len(got) != 2 || got[1].ParentSpanId != nil || hex.EncodeToString(got[1].TraceId) != r.Own.Trace.String() || got[1].Name != "HTTP" {
		t.Fatalf("spans %v", got)
	}
	for _, span := range got {
		about := words(span.Attributes)
		if span.Status.Code != spans.Status_STATUS_CODE_ERROR || about["error.type"] != "connect" || about["http.request.method"] != "_OTHER" ||
			about["http.request.method_original"] != "BREW" {
			t.Errorf("status %v, attributes %v", span.Status, about)
		}
	}
}

// A collector that never answers costs no request anything: what does not fit the queue is dropped and counted, and a stop
// waits no longer than the timeout.
func TestACollectorThatHangs(t *testing.T) {
	c := newCollector(t)
	c.hang = make(chan struct{})
	s := to(c.URL)
	s.Timeout = 200 * time.Millisecond
	tracer, stop := run(t, s)
	const n = 5000
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range uint64(n / 4) {
				tracer.Record(request(i))
			}
		})
	}
	group.Wait() // comes to an end, however the collector is
	stop()
	got := tracer.Numbers()
	if got.Sent != 0 || got.Dropped == 0 || got.Failed == 0 || got.Dropped+got.Failed != 3*n {
		t.Errorf("numbers %+v of %d spans", got, 3*n)
	}
	tracer.Record(request(0))
	if after := tracer.Numbers(); after.Dropped != got.Dropped+3 {
		t.Errorf("after the end %+v", after)
	}
}

// A collector that is down loses what comes meanwhile, and gets the rest when it is back.
func TestACollectorThatIsDown(t *testing.T) {
	c := newCollector(t)
	c.answer(http.StatusBadRequest) // which is not tried again
	tracer, stop := run(t, to(c.URL))
	tracer.Record(request(1))
	await(t, "a failure", func() bool { return tracer.Numbers().Failed == 3 })
	c.answer(http.StatusOK)
	tracer.Record(request(2))
	await(t, "success", func() bool { return tracer.Numbers().Sent == 3 })
	stop()
	gone := newCollector(t)
	gone.Close()
	tracer, stop = run(t, to(gone.URL))
	tracer.Record(request(3))
	stop()
	if got := tracer.Numbers(); got != (Numbers{Failed: 3}) {
		t.Errorf("numbers %+v", got)
	}
}

// New settings lose nothing that was recorded before them; the same settings change nothing.
func TestReload(t *testing.T) {
	before, after := newCollector(t), newCollector(t)
	tracer, stop := run(t, to(before.URL))
	flow := tracer.current
	tracer.Use(to(before.URL))
	if tracer.current != flow {
		t.Error("the same settings began anew")
	}
	const n = 50
	for i := range uint64(n) {
		tracer.Record(request(i))
		if i == n/2 {
			tracer.Use(to(after.URL))
		}
	}
	tracer.Use(nil)
	tracer.Record(request(n)) // nobody wants it
	stop()
	if got := len(before.all()) + len(after.all()); got != 3*n || len(before.all()) != 3*(n/2+1) {
		t.Errorf("%d spans, %d of them where they were sent before", got, len(before.all()))
	}
	if got := tracer.Numbers(); got != (Numbers{Sent: 3 * n}) {
		t.Errorf("numbers %+v", got)
	}
}

func TestRead(t *testing.T) {
	if s, err := Read(nil); s != nil || err != nil {
		t.Errorf("nothing is %v, %v", s, err)
	}
	file := filepath.Join(t.TempDir(), "headers")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	given := section("http://collector.test:4318")
	given.Headers, given.HeadersFile = map[string]config.Secret{"X-Tenant": "shop"}, file
	write("# who we are\n\nAuthorization: Bearer  secret\n")
	got, err := Read(given)
	if err != nil {
		t.Fatal(err)
	}
	want := &Settings{
		URL: "http://collector.test:4318/v1/traces", Service: "edge", Timeout: time.Second, Queue: 5,
		Headers: map[string]string{"X-Tenant": "shop", "Authorization": "Bearer  secret"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := Read(section("https://collector.test/otlp/in")); err != nil || got.URL != "https://collector.test/otlp/in" {
		t.Errorf("with a path: %v, %v", got, err)
	}
	write("fine: 1\nno-secret-here")
	if _, err := Read(given); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "no-secret-here") {
		t.Errorf("a bad line: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(given); err == nil {
		t.Error("a file that is not there was read")
	}
}
