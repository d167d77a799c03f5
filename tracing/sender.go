package tracing

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.uber.org/zap"
)

const (
	// batchMost is how many spans make a message that is sent at once.
	batchMost = 512
	// batchWait is how long fewer of them wait for more.
	batchWait = time.Second
)

// sender sends the spans of one flow. It belongs to the goroutine of Run.
type sender struct {
	tracer   *Tracer
	settings *Settings
	client   *http.Client
	exporter *otlptrace.Exporter
	spans    *builder
	broken   bool // the last message was not taken
}

func newSender(settings *Settings, t *Tracer) (*sender, error) {
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}}
	exporter, err := otlptracehttp.New(context.Background(), // it only takes notes
		otlptracehttp.WithEndpointURL(settings.URL),
		otlptracehttp.WithHeaders(settings.Headers),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: settings.Timeout,
		}))
	if err != nil {
		return nil, err
	}
	return &sender{tracer: t, settings: settings, client: client, exporter: exporter, spans: newBuilder(settings.Service, t.options.Version)}, nil
}

// serve sends what comes until the flow is over or the context ends, and then what is left.
func (s *sender) serve(ctx context.Context, f *flow) {
	patient, cancel := outlive(ctx, s.settings.Timeout)
	defer cancel()
	defer s.close(patient)
	tick := time.NewTicker(batchWait)
	defer tick.Stop()
	for {
		select {
		case r := <-f.queue:
			s.spans.add(r)
			if s.spans.len() >= batchMost {
				s.send(patient)
			}
		case <-tick.C:
			s.send(patient)
		case <-f.over:
			s.rest(patient, f)
			return
		case <-ctx.Done():
			s.tracer.stop()
			s.rest(patient, f)
			return
		}
	}
}

// rest sends what is left, for no longer than one message may take.
func (s *sender) rest(ctx context.Context, f *flow) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	for {
		select {
		case r := <-f.queue:
			s.spans.add(r)
			if s.spans.len() >= batchMost {
				s.send(ctx)
			}
		default:
			s.send(ctx)
			return
		}
	}
}

// send sends what has been gathered.
func (s *sender) send(ctx context.Context) {
	spans := s.spans.take()
	if len(spans) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	err := s.exporter.ExportSpans(ctx, spans)
	logger := s.tracer.options.Logger
	if err != nil {
		s.tracer.failures.Add(uint64(len(spans)))
		if !s.broken {
			logger.Warn("traces cannot be sent; those that come meanwhile are lost", zap.Int("spans", len(spans)), zap.Error(err))
		}
	} else {
		s.tracer.sent.Add(uint64(len(spans)))
		if s.broken {
			logger.Info("traces are sent again")
		}
	}
	s.broken = err != nil
}

// close lets go of what sends.
func (s *sender) close(ctx context.Context) {
	if err := s.exporter.Shutdown(ctx); err != nil {
		s.tracer.options.Logger.Debug("the sender of traces was not closed well", zap.Error(err))
	}
	s.client.CloseIdleConnections()
}

// outlive is a context that ends some time after another one.
func outlive(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, cancel
}
