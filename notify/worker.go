package notify

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"go.uber.org/zap"
)

const (
	// gather is how long a message waits for others about the same thing, and the shortest time between two: chats take one
	// a second.
	gather = time.Second
	// backoffLeast and backoffMost bound the time between two attempts.
	backoffLeast = time.Second
	backoffMost  = time.Minute
)

// worker sends what waits for one target. It is one goroutine.
type worker struct {
	door   door
	queue  *queue
	client *http.Client
	source string
	name   string
	links  Links // nil for none
	logger *zap.Logger
	hurry  <-chan struct{} // closed when the process ends: everything that waits is tried once, at once

	failures int // in a row
	cancel   context.CancelFunc
	done     chan struct{}
}

// start starts the goroutine.
func (w *worker) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go func() {
		defer close(w.done)
		defer w.client.CloseIdleConnections()
		w.run(ctx)
	}()
}

// stop ends the goroutine, and waits for it. What was not sent stays in the queue.
func (w *worker) stop() {
	w.cancel()
	<-w.done
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		if _, some := w.queue.head(); !some {
			if w.hurried() {
				return
			}
			select {
			case <-w.queue.wake:
			case <-w.hurry:
			case <-ctx.Done():
			}
			continue
		}
		w.pause(ctx, gather)
		if ctx.Err() != nil {
			return
		}
		if m, some := w.queue.head(); some {
			w.pause(ctx, w.deliver(ctx, &m))
		}
	}
}

// pause waits, unless the process ends.
func (w *worker) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.hurry:
	case <-ctx.Done():
	}
}

// hurried says whether the process ends.
func (w *worker) hurried() bool {
	select {
	case <-w.hurry:
		return true
	default:
		return false
	}
}

// deliver makes one attempt. It returns how long to leave the target alone.
func (w *worker) deliver(ctx context.Context, m *message) time.Duration {
	now := time.Now()
	answer := w.send(ctx, m, now)
	switch {
	case ctx.Err() != nil: // our own doing
		return 0
	case answer.Err == nil:
		w.failures = 0
		w.queue.settle(m, func(n *Numbers) { n.Sent++; n.LastSuccess = time.Now() })
		return 0
	case !answer.Again:
		w.failures = 0
		w.queue.settle(m, func(n *Numbers) { n.Refused++ })
		w.logger.Error("a notification was refused and is not sent", zap.String("message", m.text), zap.Error(answer.Err))
		return 0
	}
	w.failures++
	switch wait := max(backoff(w.failures), answer.After); {
	case w.hurried():
		w.queue.settle(m, func(n *Numbers) { n.Dropped++ })
		w.logger.Error("a notification could not be sent before the end of the process", zap.String("message", m.text), zap.Error(answer.Err))
		return 0
	case now.Sub(m.queued) >= w.door.giveUp:
		w.queue.settle(m, func(n *Numbers) { n.Expired++ })
		w.logger.Error("a notification was tried for too long and is given up", zap.String("message", m.text), zap.Error(answer.Err))
		return wait
	default:
		w.queue.failed(m)
		w.logger.Warn("a notification could not be sent and will be tried again",
			zap.Int("failures", w.failures), zap.Duration("in", wait), zap.Error(answer.Err))
		return wait
	}
}

// backoff is how long to wait after so many failures in a row: twice as long each time, and between half and all of it, so that
// many processes do not come back at the same moment.
func backoff(failures int) time.Duration {
	whole := backoffMost
	if failures < 7 { // 2^6 s is more than the most
		whole = min(backoffLeast<<(failures-1), backoffMost)
	}
	return whole/2 + rand.N(whole/2)
}
