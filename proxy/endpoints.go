package proxy

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"haldane/config"
	"haldane/proxy/balance"
	"haldane/proxy/upstream"
	"haldane/router"
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
	g := balance.New(options, previous.group(key))
	s.groups[key] = g
	s.each = append(s.each, keyedGroup{key, g})
	return g, nil
}

// resolve looks the names up that nobody has looked up before, so that a new variant has endpoints when it gets its first
// request. What cannot be found in time has none for a while.
func (s *Snapshot) resolve() {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	var wait sync.WaitGroup
	for _, g := range s.each {
		// Most are as they were, or have no names: a goroutine for each of them would stand in the way of all requests.
		if g.Unresolved() {
			wait.Go(func() { g.Resolve(ctx) })
		}
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

// Where there are more groups than severalGroups, they take turns: each is looked at in every second, third or at last fourth round, so that one
// round does not keep a processor from requests for long.
const (
	severalGroups = 2000
	mostTurns     = 4
)

// holds says whether a group is the one in this place. It may be asked of no snapshot at all.
func (s *Snapshot) holds(place int, g *balance.Group) bool {
	return s != nil && place < len(s.each) && s.each[place].Group == g
}

// tick does what is due about the endpoints by now.
func (s *Snapshot) tick(now time.Time, round int) {
	for i, step := turn(round, len(s.each)); i < len(s.each); i += step {
		s.each[i].Tick(now)
	}
}

// turn says which groups are looked at in a round: the first one, and how far it is to the next.
func turn(round, groups int) (first, step int) {
	step = min(1+groups/severalGroups, mostTurns)
	return round % step, step
}

// VariantEndpoints is what there is to know about the endpoints of a variant.
type VariantEndpoints struct {
	// Service and Variant are whose they are.
	Service, Variant string
	balance.Status
}

// Endpoints is what there is to know about the endpoints in force, by service and variant.
func (s *Server) Endpoints() []VariantEndpoints {
	snapshot := s.snapshot.Load()
	if snapshot == nil {
		return nil
	}
	all := make([]VariantEndpoints, 0, len(snapshot.groups))
	for i := range snapshot.services {
		all = snapshot.services[i].appendEndpoints(all)
	}
	return all
}

// EndpointsOf is what there is to know about the endpoints in force of one service, by variant; nothing for one that is not there.
func (s *Server) EndpointsOf(name string) []VariantEndpoints {
	snapshot := s.snapshot.Load()
	if snapshot == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(snapshot.table.Services(), name, func(s *router.Service, name string) int { return strings.Compare(s.Name, name) })
	if !found {
		return nil
	}
	return snapshot.services[i].appendEndpoints(nil)
}

func (s *service) appendEndpoints(all []VariantEndpoints) []VariantEndpoints {
	for i := range s.variants {
		v := &s.variants[i]
		all = append(all, VariantEndpoints{s.name, v.name, v.endpoints.Status()})
	}
	return all
}
