package proxy

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"haldane/config"
	"haldane/proxy/balance"
	"haldane/proxy/upstream"
)

// How a snapshot comes by the endpoints of its variants, and lets go of them.

// resolveTime bounds how long a new snapshot waits for names that were not looked up before.
const resolveTime = 2 * time.Second

// groupOptions are the settings of the endpoints of a variant.
func groupOptions(settings config.Variant, resolver balance.Resolver) (balance.Options, error) {
	o := balance.Options{
		Endpoints: settings.Endpoints,
		Transport: upstream.Options{
			Timeouts: upstream.Timeouts{
				Connect:        time.Duration(settings.Timeouts.Connect),
				ResponseHeader: time.Duration(settings.Timeouts.ResponseHeader),
				Idle:           time.Duration(settings.Timeouts.Idle),
				KeepAlive:      time.Duration(settings.Timeouts.KeepAlive),
			},
			MaxConnections: settings.MaxConnections,
			Queue:          upstream.Queue{Size: settings.Queue.Size, Timeout: time.Duration(settings.Queue.Timeout)},
		},
		Resolve:   time.Duration(settings.Resolve),
		Ejection:  settings.Ejection,
		Health:    settings.Health,
		Host:      settings.Host,
		SlowStart: time.Duration(settings.SlowStart),
		Resolver:  resolver,
	}
	if resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if secure := settings.TLS; secure != nil {
		var err error
		o.Transport.TLS, err = upstream.LoadTLS(upstream.TLSOptions{
			CAFile:             secure.CAFile,
			CertFile:           secure.CertFile,
			KeyFile:            secure.KeyFile,
			InsecureSkipVerify: secure.InsecureSkipVerify,
		})
		if err != nil {
			return o, fmt.Errorf("tls: %w", err)
		}
		o.Transport.ServerName = secure.ServerName
	}
	return o, nil
}

// newGroup makes the endpoints of a variant, or finds them in the previous snapshot.
func (s *Snapshot) newGroup(key groupKey, settings config.Variant, resolver balance.Resolver, previous *Snapshot) (*balance.Group, error) {
	options, err := groupOptions(settings, resolver)
	if err != nil {
		return nil, err
	}
	s.groups[key] = balance.New(options, previous.group(key))
	return s.groups[key], nil
}

// resolve looks the names up that nobody has looked up before, so that a new variant has endpoints when it gets its first
// request. What cannot be found in time has none for a while.
func (s *Snapshot) resolve() {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	var wait sync.WaitGroup
	for _, g := range s.groups {
		wait.Go(func() { g.Resolve(ctx) })
	}
	wait.Wait()
}

// group is the endpoints of a variant, or nil. It may be asked of no snapshot at all.
func (s *Snapshot) group(key groupKey) *balance.Group {
	if s == nil {
		return nil
	}
	return s.groups[key]
}

// tick does what is due about the endpoints by now.
func (s *Snapshot) tick(now time.Time) {
	for _, g := range s.groups {
		g.Tick(now)
	}
}

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
