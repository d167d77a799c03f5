package config

import (
	"fmt"
	"time"
)

// Tunnels are upgraded connections, such as WebSockets. They outlive reloads and changes of the split.
type Tunnels struct {
	// OnRollback is what becomes of the canary's tunnels when it is rolled back: "keep", "close", or a time such as "30s"
	// after which they are closed. A WebSocket is told so with a close frame (1001, going away). Default "keep".
	OnRollback TunnelDrain `yaml:"on_rollback"`
	// OnShutdown is what becomes of tunnels when the process stops: "keep" (until timeouts.drain ends), "close", or a time.
	// Default "close".
	OnShutdown TunnelDrain `yaml:"on_shutdown"`
	// Idle is how long a tunnel may carry nothing. Zero sets no bound. Default 1h.
	Idle Duration `yaml:"idle"`
}

// TunnelDrain is written "keep", "close" or as a duration. The zero value is "keep".
type TunnelDrain struct {
	// Close says whether the tunnels are closed at all.
	Close bool
	// Delay is how long they may still go on when they are closed; zero closes them at once.
	Delay time.Duration
}

// After is how long the tunnels may still go on, and whether they are closed at all.
func (t TunnelDrain) After() (d time.Duration, closes bool) { return t.Delay, t.Close }

// String is the drain as it is written.
func (t TunnelDrain) String() string {
	switch {
	case !t.Close:
		return TunnelsKeep
	case t.Delay == 0:
		return TunnelsClose
	}
	return Duration(t.Delay).String()
}

// MarshalText writes what String writes, for JSON and YAML.
func (t TunnelDrain) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String writes. A duration of zero is "close".
func (t *TunnelDrain) UnmarshalText(text []byte) error {
	switch string(text) {
	case TunnelsKeep:
		*t = TunnelDrain{}
		return nil
	case TunnelsClose:
		*t = TunnelDrain{Close: true}
		return nil
	}
	d, err := ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf(`expected "keep", "close" or a duration such as 30s, got %q`, shorten(string(text)))
	}
	*t = TunnelDrain{Close: true, Delay: time.Duration(d)}
	return nil
}
