package tracing

import (
	"context"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"haldane/proxy/trace"
)

// builder makes spans of records, after the semantic conventions for HTTP spans of OpenTelemetry 1.2x. It belongs to one goroutine.
type builder struct {
	tracer   otel.Tracer
	names    *givenIDs
	gathered *gathered
}

// givenIDs gives spans the ids that they have in the record: the endpoints have been told them already.
type givenIDs struct {
	trace trace.ID
	span  trace.SpanID
}

// NewIDs is the id of the trace and of the span at hand.
func (g *givenIDs) NewIDs(context.Context) (otel.TraceID, otel.SpanID) {
	return otel.TraceID(g.trace), otel.SpanID(g.span)
}

// NewSpanID is the id of the span at hand.
func (g *givenIDs) NewSpanID(context.Context, otel.TraceID) otel.SpanID { return otel.SpanID(g.span) }

// gathered takes the spans that are complete.
type gathered struct{ spans []sdk.ReadOnlySpan }

// OnStart has nothing to do.
func (g *gathered) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd takes a span.
func (g *gathered) OnEnd(s sdk.ReadOnlySpan) { g.spans = append(g.spans, s) }

// Shutdown has nothing to do.
func (g *gathered) Shutdown(context.Context) error { return nil }

// ForceFlush has nothing to do.
func (g *gathered) ForceFlush(context.Context) error { return nil }

func newBuilder(service, version string) *builder {
	b := &builder{names: &givenIDs{}, gathered: &gathered{}}
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // it was decided long ago
		sdk.WithIDGenerator(b.names),
		sdk.WithSpanProcessor(b.gathered),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service),
			attribute.String("service.version", version),
		)))
	b.tracer = provider.Tracer("haldane", otel.WithInstrumentationVersion(version))
	return b
}

// len is how many spans are gathered, take gives them away.
func (b *builder) len() int { return len(b.gathered.spans) }

func (b *builder) take() []sdk.ReadOnlySpan {
	spans := b.gathered.spans
	b.gathered.spans = nil
	return spans
}

// add makes the spans of a request: one for the request, and one below it for each try.
func (b *builder) add(r *trace.Request) {
	ctx := context.Background()
	b.names.trace, b.names.span = r.Own.Trace, r.Own.Span
	if (r.Parent != trace.SpanID{}) {
		parent := otel.SpanContextConfig{
			TraceID: otel.TraceID(r.Own.Trace), SpanID: otel.SpanID(r.Parent), TraceFlags: otel.TraceFlags(r.Own.Flags), Remote: true,
		}
		if state, err := otel.ParseTraceState(r.State); err == nil {
			parent.TraceState = state
		}
		ctx = otel.ContextWithRemoteSpanContext(ctx, otel.NewSpanContext(parent))
	}
	ctx, span := b.tracer.Start(ctx, name(r.Method), otel.WithSpanKind(otel.SpanKindServer), otel.WithTimestamp(r.Start),
		otel.WithAttributes(ofRequest(r)...))
	if r.Status >= 500 || r.Error != "" {
		span.SetStatus(codes.Error, r.Error)
	}
	for i := range r.Tries {
		t := &r.Tries[i]
		if t.Cause != trace.First {
			span.AddEvent("haldane."+t.Cause.String(), otel.WithTimestamp(t.Start), otel.WithAttributes(
				attribute.String("haldane.variant", t.Variant), attribute.String("server.address", t.Endpoint)))
		}
		b.addTry(ctx, r, t)
	}
	span.End(otel.WithTimestamp(r.End))
}

// addTry makes the span of a try.
func (b *builder) addTry(ctx context.Context, r *trace.Request, t *trace.Try) {
	b.names.span = t.Span
	_, span := b.tracer.Start(ctx, name(r.Method), otel.WithSpanKind(otel.SpanKindClient), otel.WithTimestamp(t.Start),
		otel.WithAttributes(ofTry(r, t)...))
	if t.Status >= 400 || t.Error != "" {
		span.SetStatus(codes.Error, t.Error)
	}
	span.End(otel.WithTimestamp(t.End))
}

// name is that of the spans of a method. One that a client has made up would be a name nobody looks for.
func name(method string) string {
	if known(method) {
		return method
	}
	return "HTTP"
}

// known says whether a method is one of RFC 9110 section 9 or RFC 5789.
func known(method string) bool {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return true
	}
	return false
}

// ofMethod are the attributes of a method.
func ofMethod(method string) []attribute.KeyValue {
	if known(method) {
		return []attribute.KeyValue{attribute.String("http.request.method", method)}
	}
	return []attribute.KeyValue{
		attribute.String("http.request.method", "_OTHER"), attribute.String("http.request.method_original", method),
	}
}

// ofRequest are the attributes of a request.
func ofRequest(r *trace.Request) []attribute.KeyValue {
	list := append(ofMethod(r.Method), attribute.String("url.scheme", r.Scheme), attribute.String("url.path", r.Path))
	list = append(list, ofAddress(r.Host)...)
	list = append(list, ofOutcome(r.Status, r.Status >= 500, r.Error)...)
	for _, given := range [...]struct{ name, value string }{
		{"haldane.service", r.Service},
		{"haldane.variant", r.Variant},
		{"haldane.reason", r.Reason},
		{"haldane.rollout", r.Rollout},
		{"haldane.role", r.Role},
		{"haldane.outcome", r.Outcome},
		{"haldane.request_id", r.RequestID},
	} {
		if given.value != "" {
			list = append(list, attribute.String(given.name, given.value))
		}
	}
	if r.Rescued {
		list = append(list, attribute.Bool("haldane.rescued", true))
	}
	return list
}

// ofTry are the attributes of a try.
func ofTry(r *trace.Request, t *trace.Try) []attribute.KeyValue {
	list := append(ofMethod(r.Method), attribute.String("haldane.service", r.Service), attribute.String("haldane.variant", t.Variant))
	list = append(list, ofAddress(t.Endpoint)...)
	list = append(list, ofOutcome(t.Status, t.Status >= 400, t.Error)...)
	if t.Cause != trace.First {
		list = append(list, attribute.String("haldane.cause", t.Cause.String()))
	}
	return list
}

// ofOutcome are the attributes of an answer, and of what went wrong: the status, unless there is a better word for it.
func ofOutcome(status int, bad bool, problem string) []attribute.KeyValue {
	var list []attribute.KeyValue
	if status != 0 {
		list = append(list, attribute.Int("http.response.status_code", status))
	}
	if problem == "" && bad {
		problem = strconv.Itoa(status)
	}
	if problem != "" {
		list = append(list, attribute.String("error.type", problem))
	}
	return list
}

// ofAddress are the attributes of a host and perhaps a port.
func ofAddress(text string) []attribute.KeyValue {
	if text == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return []attribute.KeyValue{attribute.String("server.address", text)}
	}
	list := []attribute.KeyValue{attribute.String("server.address", host)}
	if number, err := strconv.Atoi(port); err == nil {
		list = append(list, attribute.Int("server.port", number))
	}
	return list
}
