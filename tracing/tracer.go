// Package tracing turns the records of sampled requests into OpenTelemetry spans and sends them to a collector over OTLP/HTTP.
//
// It owns the queue of records, the spans and the sending. It does not decide which requests are sampled (proxy/trace) and sees none
// of the others. It is the only room that knows OpenTelemetry.
//
// Concurrency: Record and Use may be called from any goroutine, and neither waits for a collector: what does not fit the queue is
// dropped and counted. Run owns everything that is sent.
package tracing

import (
	"context"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"haldane/proxy/trace"
)

// Options is what a Tracer is made of.
type Options struct {
	// Version is that of the program, for the resource that the spans belong to.
	Version string
	// Logger is told when a collector cannot be reached, and when it can again. Nil logs nothing.
	Logger *zap.Logger
}

// Tracer sends the spans of sampled requests.
type Tracer struct {
	options                 Options
	sent, dropped, failures atomic.Uint64

	mu      sync.Mutex
	current *flow         // takes records; guarded by mu, as are all that follow
	waiting []*flow       // that Run has yet to take up, the current one last
	more    chan struct{} // has room for one: there is something in waiting
	stopped bool
}

// flow is what is sent with the same settings.
type flow struct {
	settings *Settings           // nil: nothing is sent
	queue    chan *trace.Request // with room for settings.Queue
	over     chan struct{}       // closed when another flow has taken its place: nothing is added any more
}

func newFlow(s *Settings) *flow {
	f := &flow{settings: s, over: make(chan struct{})}
	if s != nil {
		f.queue = make(chan *trace.Request, s.Queue)
	}
	return f
}

// New makes a Tracer that sends nothing yet. It starts nothing.
func New(options Options) *Tracer {
	if options.Logger == nil {
		options.Logger = zap.NewNop()
	}
	t := &Tracer{options: options, more: make(chan struct{}, 1)}
	t.take(newFlow(nil))
	return t
}

// Numbers count spans. They only grow.
type Numbers struct {
	// Sent is how many a collector has taken.
	Sent uint64
	// Dropped is how many did not fit the queue, or came when the process was about to end.
	Dropped uint64
	// Failed is how many no collector would take.
	Failed uint64
}

// Numbers are the numbers as they are now.
func (t *Tracer) Numbers() Numbers {
	return Numbers{Sent: t.sent.Load(), Dropped: t.dropped.Load(), Failed: t.failures.Load()}
}

// Use puts settings in force; nil sends nothing. What was recorded before is sent as it would have been.
func (t *Tracer) Use(s *Settings) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.same(t.current.settings) {
		return
	}
	close(t.current.over)
	t.take(newFlow(s))
}

// take makes a flow the current one. The lock is held, or nobody else knows t.
func (t *Tracer) take(f *flow) {
	t.current = f
	t.waiting = append(t.waiting, f)
	select {
	case t.more <- struct{}{}:
	default:
	}
}

// Record takes the record of a request. It never waits.
func (t *Tracer) Record(r *trace.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.settings == nil {
		return // switched off since the request began
	}
	if !t.stopped {
		select {
		case t.current.queue <- r:
			return
		default:
		}
	}
	t.dropped.Add(spansOf(r))
}

// spansOf is how many spans a record becomes.
func spansOf(r *trace.Request) uint64 { return uint64(1 + len(r.Tries)) }

// Run sends until the context ends, and then what is left, for as long as the timeout of the settings allows.
func (t *Tracer) Run(ctx context.Context) error {
	for {
		f := t.next(ctx)
		if f == nil {
			return nil
		}
		t.serve(ctx, f)
	}
}

// next waits for a flow to serve; nil when there is none and the context has ended.
func (t *Tracer) next(ctx context.Context) *flow {
	for {
		t.mu.Lock()
		t.stopped = t.stopped || ctx.Err() != nil
		var f *flow
		if len(t.waiting) > 0 {
			f, t.waiting = t.waiting[0], t.waiting[1:]
		}
		stopped := t.stopped
		t.mu.Unlock()
		if f != nil || stopped {
			return f
		}
		select {
		case <-t.more:
		case <-ctx.Done():
		}
	}
}

// serve sends what a flow has, until another one takes its place or the process ends, and then the rest.
func (t *Tracer) serve(ctx context.Context, f *flow) {
	if f.settings == nil {
		select {
		case <-f.over:
		case <-ctx.Done():
		}
		return
	}
	s, err := newSender(f.settings, t)
	if err != nil { // the address was checked when it was read
		t.options.Logger.Error("traces cannot be sent", zap.Error(err))
		return
	}
	s.serve(ctx, f)
}

// stop takes no more records.
func (t *Tracer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}
