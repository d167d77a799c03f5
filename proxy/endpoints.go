package proxy

import (
	"time"

	"haldane/config"
	"haldane/proxy/balance"
	"haldane/proxy/upstream"
)

// How a snapshot comes by the endpoints of its variants, and lets go of them.

// groupOptions are the settings of the endpoints of a variant.
func groupOptions(settings config.Variant) balance.Options {
	return balance.Options{
		Endpoints: settings.Endpoints,
		Transport: upstream.Options{
			Timeouts: upstream.Timeouts{
				Connect:        time.Duration(settings.Timeouts.Connect),
				ResponseHeader: time.Duration(settings.Timeouts.ResponseHeader),
				Idle:           time.Duration(settings.Timeouts.Idle),
				KeepAlive:      time.Duration(settings.Timeouts.KeepAlive),
			},
			MaxConnections: settings.MaxConnections,
		},
		Ejection:  settings.Ejection,
		SlowStart: time.Duration(settings.SlowStart),
	}
}

// group is the endpoints of a variant, or nil. It may be asked of no snapshot at all.
func (s *Snapshot) group(key groupKey) *balance.Group {
	if s == nil {
		return nil
	}
	return s.groups[key]
}

// takeOver makes the snapshot's endpoints the ones that count, in the place of those of the previous one (nil for none).
func (s *Snapshot) takeOver(previous *Snapshot) {
	for key, g := range s.groups {
		if g != previous.group(key) {
			g.TakeOver()
		}
	}
}

// retire closes the endpoints that the next snapshot (nil for none) no longer has. Exchanges that are under way on them
// go on.
func (s *Snapshot) retire(next *Snapshot) {
	for key, g := range s.groups {
		if n := next.group(key); n != g {
			g.Retire(n)
		}
	}
}

// tick does what is due about the endpoints by now.
func (s *Snapshot) tick(now time.Time) {
	for _, g := range s.groups {
		g.Tick(now)
	}
}
