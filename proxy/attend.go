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
		for key, g := range previous.groups {
			if successor := next.group(key); successor != g {
				a.dismiss(g)
				if successor == nil {
					g.Close()
				}
			}
		}
	}
	if next == nil {
		return
	}
	for key, g := range next.groups {
		if predecessor := previous.group(key); predecessor != g {
			g.Replace(predecessor)
			a.engage(g)
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
