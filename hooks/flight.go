package hooks

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
)

// queueLongest bounds the events that wait for one hook.
const queueLongest = 100

// flight is what is on its way. It belongs to the goroutine of Run.
type flight struct {
	runner  *Runner
	ctx     context.Context
	group   sync.WaitGroup
	done    chan *task
	tasks   map[key]*task
	waiting map[key][]*task // events, oldest first
	last    map[key]rollout.HookAnswer
}

func newFlight(ctx context.Context, r *Runner) *flight {
	return &flight{
		runner: r, ctx: ctx, done: make(chan *task), tasks: make(map[key]*task), waiting: make(map[key][]*task),
		last: make(map[key]rollout.HookAnswer),
	}
}

// end gives up what is on its way, and waits for it.
func (f *flight) end() {
	for _, t := range f.tasks {
		t.cancel()
	}
	f.group.Wait()
	f.runner.current().close()
}

// ask sends the questions that are not on their way. A newer question takes the place of an older one: nobody waits for a hook that
// hangs over a step that is left.
func (f *flight) ask(now time.Time) {
	doors := f.runner.current().doors
	if len(doors) == 0 {
		return
	}
	for _, q := range f.runner.options.Rollouts.Questions(now) {
		k := key{q.Service, q.Point, q.Hook}
		d := doors[k]
		old := f.tasks[k]
		if d == nil || old != nil && old.id == q.ID() {
			continue
		}
		if old != nil {
			old.cancel()
		}
		p := asked(&q, d.metadata)
		f.send(&task{key: k, door: d, question: &q}, &p)
	}
}

// send sends something to a hook.
func (f *flight) send(t *task, p *payload) {
	body, err := p.body()
	if err != nil {
		f.runner.options.Logger.Error("a hook cannot be asked", zap.Error(err))
		return
	}
	t.id, t.body = p.ID, body
	f.start(t)
}

// start begins a task.
func (f *flight) start(t *task) {
	ctx, cancel := context.WithCancel(f.ctx)
	t.cancel = cancel
	f.tasks[t.key] = t
	f.group.Go(func() {
		defer cancel()
		t.run(ctx, f.runner.backoff)
		select {
		case f.done <- t:
		case <-f.ctx.Done():
		}
	})
}

// land takes what came back. What was replaced says nothing.
func (f *flight) land(t *task) {
	if f.tasks[t.key] != t {
		return
	}
	delete(f.tasks, t.key)
	f.runner.count(t.key, func(n *Numbers) { n.Answers[t.answer]++ })
	f.note(t)
	if q := t.question; q != nil {
		f.runner.options.Rollouts.Answer(rollout.Answer{
			Service: q.Service, Place: q.Place, Point: q.Point, Hook: q.Hook, Turn: q.Turn, Answer: t.answer, Text: t.text,
		})
		return
	}
	if list := f.waiting[t.key]; len(list) > 0 {
		f.waiting[t.key] = list[1:]
		f.start(list[0])
	}
}

// note logs what a person may have to look at: silence, and what those say who should only listen. Once, until it changes.
func (f *flight) note(t *task) {
	was := f.last[t.key]
	f.last[t.key] = t.answer
	listens := t.key.point == config.HookPostRollout || t.key.point == config.HookEvent
	if t.answer == rollout.HookSilent && was != rollout.HookSilent || listens && t.answer == rollout.HookRefused {
		f.runner.options.Logger.Warn("a hook does not do what it should", t.fields()...)
	}
}

// tell files an event for the hooks that listen to those of its service.
func (f *flight) tell(e *rollout.Event) {
	if e.Kind == rollout.EventLost {
		f.runner.options.Logger.Error("events came faster than hooks could be told", zap.Uint64("lost", e.Lost))
		return
	}
	for k, d := range f.runner.current().doors {
		if k.point != config.HookEvent || k.service != e.Service {
			continue
		}
		about, _ := f.runner.options.Rollouts.About(e.Service)
		p := told(e, &about, k.name, d.metadata)
		t := &task{key: k, door: d}
		if f.tasks[k] == nil {
			f.send(t, &p)
			continue
		}
		f.queue(t, &p)
	}
}

// queue has an event wait for those before it.
func (f *flight) queue(t *task, p *payload) {
	body, err := p.body()
	if err != nil {
		f.runner.options.Logger.Error("a hook cannot be told", zap.Error(err))
		return
	}
	t.id, t.body = p.ID, body
	list := append(f.waiting[t.key], t)
	if len(list) > queueLongest {
		list = list[1:]
		f.runner.count(t.key, func(n *Numbers) { n.Dropped++ })
	}
	f.waiting[t.key] = list
}
