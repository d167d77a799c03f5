package balance

import (
	"context"
	"sync"
)

// attendance is the goroutines that look at the health of endpoints while Run runs.
type attendance struct {
	ctx    context.Context // of Run
	wait   *sync.WaitGroup
	cancel map[*Endpoint]context.CancelFunc
}

// Attended says whether there is anything for Run to do.
func (g *Group) Attended() bool {
	if g.options.Health != nil && len(g.options.Endpoints) > 0 {
		return true
	}
	return len(g.names()) > 0
}

// Run looks names up and asks endpoints for their health until the context ends, and returns when all of that has stopped.
// It must not run twice at the same time.
func (g *Group) Run(ctx context.Context) {
	var wait sync.WaitGroup
	g.mu.Lock()
	g.attendance = &attendance{ctx: ctx, wait: &wait, cancel: make(map[*Endpoint]context.CancelFunc)}
	g.attend()
	g.mu.Unlock()
	for _, t := range g.names() {
		wait.Go(func() { g.follow(ctx, t) })
	}
	wait.Wait()
	g.mu.Lock()
	g.attendance = nil
	g.mu.Unlock()
}

// attend gives every endpoint its look-out, and none to those that are gone. g.mu is held.
func (g *Group) attend() {
	a := g.attendance
	if a == nil || g.options.Health == nil {
		return
	}
	members := make(map[*Endpoint]bool, len(g.members))
	for _, e := range g.members {
		members[e] = true
		if a.cancel[e] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(a.ctx)
		a.cancel[e] = cancel
		a.wait.Go(func() {
			defer cancel()
			g.check(ctx, e)
		})
	}
	for e, cancel := range a.cancel {
		if !members[e] {
			cancel()
			delete(a.cancel, e)
		}
	}
}
