package config

import (
	"fmt"
	"time"
)

// StallMode is the way in which a stalled request is told from a slow one.
type StallMode int

const (
	// StallOff never takes a request as stalled.
	StallOff StallMode = iota
	// StallAuto derives the time from the stable variant's latency.
	StallAuto
	// StallAfter uses the time that is written.
	StallAfter
)

// StallTimeout is written "auto", "off" or as a duration above zero. The zero value is "off".
type StallTimeout struct {
	// Mode says where the time comes from.
	Mode StallMode
	// After is the time with StallAfter, above zero, and zero otherwise.
	After time.Duration
}

// String is the timeout as it is written.
func (s StallTimeout) String() string {
	switch s.Mode {
	case StallAuto:
		return Auto
	case StallAfter:
		return Duration(s.After).String()
	}
	return Off
}

// MarshalText writes what String writes, for JSON and YAML.
func (s StallTimeout) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes.
func (s *StallTimeout) UnmarshalText(text []byte) error {
	switch string(text) {
	case Auto:
		*s = StallTimeout{Mode: StallAuto}
		return nil
	case Off:
		*s = StallTimeout{}
		return nil
	}
	d, err := ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf(`expected "auto", "off" or a duration above zero, got %q`, shorten(string(text)))
	}
	*s = StallTimeout{Mode: StallAfter, After: time.Duration(d)}
	return nil
}
