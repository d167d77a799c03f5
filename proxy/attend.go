package proxy

import (
	"context"
	"sync"

	"haldane/proxy/balance"
)

// attendants are the goroutines that look after the endpoints in force. They belong to the Server's Swap and Close, which
// take turns.
type attendants struct {
	wait    sync.WaitGroup
	mu      sync.Mutex
	running map[*balance.Group]context.CancelFunc // guarded by mu
}

// replace puts the endpoints of the next snapshot in the place of those of the previous one. Either may be nil, but not both.
// What both have goes on as it is.
func (a *attendants) replace(previous, next *Snapshot) {
	if previous != nil && next != nil && previous.origin == next.origin {
		return // another split of the same configuration
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if previous != nil {
		for i, g := range previous.each {
			if next.holds(i, g.Group) {
				continue // most are as they were, and where they were
			}
			if successor := next.group(g.key); successor != g.Group {
				a.dismiss(g.Group)
				if successor == nil {
					g.Close()
				}
			}
		}
	}
	if next == nil {
		return
	}
	for i, g := range next.each {
		if previous.holds(i, g.Group) {
			continue
		}
		if predecessor := previous.group(g.key); predecessor != g.Group {
			g.Replace(predecessor)
			a.engage(g.Group)
		}
	}
}

// engage starts to look after a group.
func (a *attendants) engage(g *balance.Group) {
	if !g.Attended() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	if a.running == nil {
		a.running = make(map[*balance.Group]context.CancelFunc)
	}
	a.running[g] = cancel
	a.wait.Go(func() { g.Run(ctx) })
}

// dismiss stops looking after a group.
func (a *attendants) dismiss(g *balance.Group) {
	if cancel := a.running[g]; cancel != nil {
		cancel()
		delete(a.running, g)
	}
}
