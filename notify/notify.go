package notify

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"haldane/rollout"
	"haldane/webhook"
)

const (
	// subscription is how many events may wait to be looked at. What is lost is read from the views.
	subscription = 256
	// lookEvery is how often all rollouts are looked at, whatever was told.
	lookEvery = 15 * time.Second
	// flushLongest is how long the end of the process waits for what is to be sent.
	flushLongest = 2 * time.Second
)

// Rollouts is where the news comes from. Subscribe must not wait for a slow reader.
type Rollouts interface {
	// Subscribe returns the events from now on; cancel ends it.
	Subscribe(buffer int) (events <-chan rollout.Event, cancel func())
	// View is the rollout of a service, if it has one; Views are all of them.
	View(service string) (rollout.View, bool)
	Views() []rollout.View
}

// Options is what a Notifier works with. All fields but Links are required.
type Options struct {
	// Rollouts is what people are told about.
	Rollouts Rollouts
	// Source says who speaks, in CloudEvents: a URI reference that no other process has.
	Source string
	// Logger gets what could not be sent. It is told no URL and no secret.
	Logger *zap.Logger
	// Links makes links that do something with one click; nil for none.
	Links Links
}

// Links makes links for people who are needed.
type Links interface {
	// Link is the address at which one click gives the order about the rollout as it is shown, as one of via; empty for none.
	Link(v *rollout.View, order rollout.CommandKind, via string, now time.Time) string
}

// Notifier tells people what happens.
type Notifier struct {
	options   Options
	born      time.Time // what happened before is not told
	changed   chan struct{}
	newClient func(timeout time.Duration) *http.Client // tests have their own

	mu       sync.Mutex
	settings *Settings         // guarded by mu
	queues   map[string]*queue // by target; guarded by mu
	reload   reload            // guarded by mu
}

// reload is the outcome of the last attempt to load a configuration.
type reload struct {
	failed string // the first problem; empty for none
	at     time.Time
}

// New makes a notifier that tells nobody. It tells of what happens from this moment on, once it is used and run.
func New(o Options) (*Notifier, error) {
	if o.Rollouts == nil || o.Source == "" || o.Logger == nil {
		return nil, errors.New("a notifier needs rollouts, a source and a logger")
	}
	return &Notifier{
		options: o, born: time.Now(), changed: make(chan struct{}, 1), newClient: webhook.NewClient,
		settings: &Settings{}, queues: make(map[string]*queue),
	}, nil
}

// Use puts settings in force. What waits for a target of the same name stays.
func (n *Notifier) Use(s *Settings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settings = s
	maps.DeleteFunc(n.queues, func(name string, _ *queue) bool { _, there := s.targets[name]; return !there })
	for name := range s.targets {
		if n.queues[name] == nil {
			n.queues[name] = newQueue(name)
		}
	}
	n.signal()
}

// Reloaded tells of an attempt to load a configuration that failed, or, with a nil error, did not.
func (n *Notifier) Reloaded(now time.Time, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reload = reload{at: now}
	if err != nil {
		n.reload.failed = problem(err)
	}
	n.signal()
}

// signal wakes Run; it never blocks.
func (n *Notifier) signal() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// state is a copy of what Use and Reloaded have said.
func (n *Notifier) state() (*Settings, map[string]*queue, reload) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings, maps.Clone(n.queues), n.reload
}

// Numbers are those of all targets, by name.
func (n *Notifier) Numbers() []Numbers {
	_, queues, _ := n.state()
	all := make([]Numbers, 0, len(queues))
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		all = append(all, queues[name].snapshot())
	}
	return all
}

// Run tells people until the context is done, and then sends what is left, for two seconds at most. Run once.
func (n *Notifier) Run(ctx context.Context) error {
	events, cancel := n.options.Rollouts.Subscribe(subscription)
	defer cancel()
	s := newSenders(n)
	defer s.end()
	f := newFollower(n.options.Rollouts, n.born)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	n.turn(f, s)
	f.lookAll(time.Now())
	for {
		select {
		case <-ctx.Done():
			n.turn(f, s)
			f.lookAll(time.Now())
			return nil
		case e, open := <-events:
			switch {
			case !open:
				return errors.New("the events of the rollouts ended")
			case e.Kind == rollout.EventLost:
				f.lookAll(time.Now())
			default:
				f.look(time.Now(), e.Service, &e)
			}
		case <-n.changed:
			n.turn(f, s)
		case <-ticker.C:
			f.lookAll(time.Now())
		}
	}
}

// turn takes over what Use and Reloaded have said.
func (n *Notifier) turn(f *follower, s *senders) {
	settings, queues, reload := n.state()
	s.reconcile(settings, queues)
	f.settings, f.queues = settings, queues
	f.reloaded(time.Now(), reload)
}

// senders are the workers of a running notifier. They belong to the goroutine of Run.
type senders struct {
	notifier *Notifier
	workers  map[string]*worker
	hurry    chan struct{}
}

func newSenders(n *Notifier) *senders {
	return &senders{notifier: n, workers: make(map[string]*worker), hurry: make(chan struct{})}
}

// reconcile has one worker for each target. A target that is reached in another way gets another worker.
func (s *senders) reconcile(settings *Settings, queues map[string]*queue) {
	for name, w := range s.workers {
		if t, there := settings.targets[name]; !there || t.door != w.door || queues[name] != w.queue {
			w.stop()
			delete(s.workers, name)
		}
	}
	for name, t := range settings.targets {
		if s.workers[name] != nil {
			continue
		}
		w := &worker{
			door: t.door, queue: queues[name], client: s.notifier.newClient(t.timeout), source: s.notifier.options.Source,
			name: name, links: s.notifier.options.Links,
			logger: s.notifier.options.Logger.With(zap.String("target", name)), hurry: s.hurry,
		}
		s.workers[name] = w
		w.start()
	}
}

// end has everything that waits sent now, and stops the workers when the time for that is over.
func (s *senders) end() {
	close(s.hurry)
	timer := time.NewTimer(flushLongest)
	defer timer.Stop()
	over := false
	for _, w := range s.workers {
		if !over {
			select {
			case <-w.done:
			case <-timer.C:
				over = true
			}
		}
		w.stop()
		if left := w.queue.snapshot().Queued; left > 0 {
			w.logger.Error("the process ends before these notifications could be sent", zap.Int("notifications", left))
		}
	}
}
