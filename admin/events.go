package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"haldane/rollout"
)

const (
	// readersMost bounds the open event streams of both listeners together.
	readersMost = 2 * streamsMost
	// pingEvery is how often a silent stream shows that it is alive.
	pingEvery = 15 * time.Second
	// streamTimeout is how long one write to a stream may take.
	streamTimeout = 10 * time.Second
	// retryAfter is how long a client waits before it connects again.
	retryAfter = 2 * time.Second
)

// pump files the events of the rollouts until its context or the channel ends.
func (s *Server) pump(ctx context.Context, events <-chan rollout.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				return
			}
			data, err := json.Marshal(event)
			if err != nil {
				s.options.Logger.Error("event not shown", zap.Error(err))
				continue
			}
			s.hub.publish(frame{kind: string(event.Kind), data: data})
			s.board.event(&event, data)
		}
	}
}

// events is the stream of events (WHATWG HTML, server-sent events). It begins with "hello", whose id a client may come back
// with; "lost" says that events are missing, so that the state has to be read again.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	if !s.hub.join() {
		return refuse(http.StatusServiceUnavailable, "too many event streams are open, or Haldane is stopping")
	}
	defer s.hub.leave()
	position, missed := s.hub.end(), false
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		if resumed, ok := s.hub.resume(id); ok {
			position = resumed
		} else {
			missed = true // of another process: nobody knows how many
		}
	}
	out := openStream(w)
	out.event("hello", s.hub.id(position), s.greeting())
	if missed {
		out.lost(s.hub.id(position), 0)
	}
	if out.flush() == nil {
		s.follow(r.Context(), out, position)
	}
	return nil
}

// follow writes what comes until either side ends.
func (s *Server) follow(ctx context.Context, out *stream, position uint64) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		b := s.hub.read(position)
		if b.lost > 0 {
			out.lost(s.hub.id(b.first), b.lost)
		}
		for n, f := range b.frames {
			out.event(f.kind, s.hub.id(b.first+uint64(n)+1), f.data)
		}
		position = b.first + uint64(len(b.frames))
		if out.flush() != nil || !s.awaitMore(ctx, out, b.changed, ping.C) {
			return
		}
	}
}

// greeting is the data of the first event.
func (s *Server) greeting() []byte {
	data, err := json.Marshal(struct {
		Version string `json:"version"`
	}{s.options.Version})
	if err != nil {
		return []byte(`{}`)
	}
	return data
}

// awaitMore waits until there is something to write, and says whether there is: not when either side has ended.
func (s *Server) awaitMore(ctx context.Context, out *stream, changed <-chan struct{}, ping <-chan time.Time) bool {
	select {
	case <-changed:
	case <-ping:
		out.comment("ping")
	case <-ctx.Done():
		return false
	case <-s.hub.done:
		return false
	}
	return true
}

// stream writes events. What is written goes out with flush.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	pending bytes.Buffer
}

// retry tells the client how long to wait before it connects again.
func (o *stream) retry(wait time.Duration) {
	o.pending.WriteString("retry: " + strconv.FormatInt(wait.Milliseconds(), 10) + "\n\n")
}

// comment is a line that clients skip.
func (o *stream) comment(text string) { o.pending.WriteString(": " + text + "\n\n") }

// openStream begins an answer that is a stream of events.
func openStream(w http.ResponseWriter) *stream {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // proxies in between must not collect
	out := &stream{w: w, control: http.NewResponseController(w)}
	out.retry(retryAfter)
	return out
}

// event is one event. Its data is JSON without line breaks.
func (o *stream) event(kind, id string, data []byte) {
	o.pending.WriteString("id: " + id + "\nevent: " + kind + "\ndata: ")
	o.pending.Write(data)
	o.pending.WriteString("\n\n")
}

// lost says that events are missing; zero is a number that nobody knows. It has the members of an event that matter.
func (o *stream) lost(id string, events uint64) {
	o.event(string(rollout.EventLost), id, []byte(`{"kind":"lost","lost":`+strconv.FormatUint(events, 10)+`}`))
}

// flush sends what is pending, within a time of its own.
func (o *stream) flush() error {
	if o.pending.Len() == 0 {
		return nil
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(streamTimeout))
	_, err := o.w.Write(o.pending.Bytes())
	o.pending.Reset()
	if err != nil {
		return err
	}
	return o.control.Flush()
}
