package config

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// day is 24 hours: a duration knows no calendar.
const day = 24 * time.Hour

// ParseDuration reads what String writes: Go's syntax, with days in front ("1d12h", "0.5d"). A number needs its unit; only
// zero may stand alone.
func ParseDuration(text string) (Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	days, clock, found := strings.Cut(rest, "d")
	if !found {
		days, clock = "", rest
	}
	// Days come first, and a sign inside ("1d-2h") is never meant.
	if rest == "" || strings.ContainsAny(rest, "+-") || strings.Trim(days, "0123456789.") != "" {
		return 0, durationError(text)
	}
	var total time.Duration
	if found {
		hours, err := time.ParseDuration(days + "h")
		if err != nil || hours > math.MaxInt64/24 {
			return 0, durationError(text)
		}
		total = 24 * hours
	}
	if clock != "" {
		d, err := time.ParseDuration(clock)
		if err != nil || d > math.MaxInt64-total {
			return 0, durationError(text)
		}
		total += d
	}
	if negative {
		total = -total
	}
	return Duration(total), nil
}

func durationError(text string) error {
	return fmt.Errorf("expected a duration such as 250ms, 1m30s or 1d12h, got %q", text)
}

// String writes the duration in its shortest form: "5m", "1d12h".
func (d Duration) String() string {
	t := time.Duration(d)
	if t <= 0 {
		return shortClock(t)
	}
	days := t / day
	if days == 0 {
		return shortClock(t)
	}
	if t%day == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return fmt.Sprintf("%dd%s", days, shortClock(t%day))
}

// shortClock is Go's form without the zero parts at its end: "1h" for "1h0m0s".
func shortClock(t time.Duration) string {
	text := t.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes what String writes, for JSON and YAML.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}
