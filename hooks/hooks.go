package hooks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"haldane/rollout"
)

const (
	// lookEvery is how often it is looked whether there is something to ask.
	lookEvery = 250 * time.Millisecond
	// subscription is how many events may wait to be filed.
	subscription = 256
)

// Rollouts is what questions come from and answers go to. *rollout.Manager is one.
type Rollouts interface {
	// Questions are what is to be asked now; the same one is there until it is answered.
	Questions(now time.Time) []rollout.Question
	// Answer tells a rollout what a hook has said.
	Answer(rollout.Answer)
	// About is what a hook would be told of the rollout of a service.
	About(service string) (rollout.Question, bool)
	// Subscribe returns the events from now on; cancel ends it. It must not wait for a slow reader.
	Subscribe(buffer int) (events <-chan rollout.Event, cancel func())
}

// Options is what a Runner works with. All fields are required.
type Options struct {
	// Rollouts is who asks.
	Rollouts Rollouts
	// Logger is told of hooks that do not do what they should. It is told no URL and no secret.
	Logger *zap.Logger
}

// Runner asks and tells.
type Runner struct {
	options Options
	events  <-chan rollout.Event // from the beginning: what happens before Run runs is told, too
	backoff time.Duration        // before the first repetition; tests have their own

	mu       sync.Mutex
	settings *Settings        // guarded by mu
	numbers  map[key]*Numbers // guarded by mu
}

// Numbers are those of one hook, in the life of this process.
type Numbers struct {
	// Service, Point and Hook say which one.
	Service, Point, Hook string
	// Answers is how many questions and events ended how.
	Answers map[rollout.HookAnswer]uint64
	// Dropped is how many events found no room.
	Dropped uint64
}

// New makes a runner that has nobody to ask. It tells of events from this moment on.
func New(o Options) (*Runner, error) {
	if o.Rollouts == nil || o.Logger == nil {
		return nil, errors.New("a runner of hooks needs rollouts and a logger")
	}
	events, _ := o.Rollouts.Subscribe(subscription) // for as long as the process lasts
	return &Runner{
		options: o, events: events, backoff: backoffLeast, settings: &Settings{}, numbers: make(map[key]*Numbers),
	}, nil
}

// Use puts settings in force, and gives back those before. What is on its way stays so.
func (r *Runner) Use(s *Settings) (former *Settings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	former = r.settings
	former.close()
	r.settings = s
	for k := range r.numbers {
		if s.doors[k] == nil {
			delete(r.numbers, k)
		}
	}
	for k := range s.doors {
		if r.numbers[k] == nil {
			r.numbers[k] = &Numbers{Service: k.service, Point: k.point, Hook: k.name, Answers: map[rollout.HookAnswer]uint64{
				rollout.HookYes: 0, rollout.HookRefused: 0, rollout.HookSilent: 0,
			}}
		}
	}
	return former
}

// Numbers are those of all hooks, sorted.
func (r *Runner) Numbers() []Numbers {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Numbers, 0, len(r.numbers))
	for _, n := range r.numbers {
		copied := *n
		copied.Answers = make(map[rollout.HookAnswer]uint64, len(n.Answers))
		for answer, count := range n.Answers {
			copied.Answers[answer] = count
		}
		all = append(all, copied)
	}
	slices.SortFunc(all, func(a, b Numbers) int {
		return strings.Compare(a.Service+" "+a.Point+" "+a.Hook, b.Service+" "+b.Point+" "+b.Hook)
	})
	return all
}

// Run asks and tells until the context is done. What is on its way then is given up: questions are asked again by the next process.
// It may be called again after it has returned.
func (r *Runner) Run(ctx context.Context) error {
	f := newFlight(ctx, r)
	defer f.end()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			f.ask(time.Now())
		case t := <-f.done:
			f.land(t)
		case e, open := <-r.events:
			if !open {
				return errors.New("the events of the rollouts ended")
			}
			f.tell(&e)
		}
	}
}

func (r *Runner) current() *Settings {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settings
}

// count notes how a task ended.
func (r *Runner) count(k key, note func(*Numbers)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.numbers[k]; n != nil {
		note(n)
	}
}
