package config

import (
	"fmt"
	"time"
)

// Duration is a span of time, written as Go writes it ("1m30s") and with days ("1d", "1d12h").
type Duration time.Duration

// Percent is a share from 0 to 100 %, exact to 16 decimals of a percent. It counts units of 1e-18 of the whole, so that
// the same text is the same share on every machine. Written "5%", "0.01%" or as a bare number of percent.
type Percent uint64

// Whole is 100 %.
const Whole Percent = 1_000_000_000_000_000_000

// Bytes is a size, written "64KiB", "10MB" or as a bare number of bytes.
type Bytes int64

// Secret is text that never shows itself: it prints as "***" in every format. string(s) is the text itself.
type Secret string

// redacted is what a Secret shows.
const redacted = "***"

// String hides the secret.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// Format hides the secret from every verb of package fmt, %x and %q among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText hides the secret from JSON and YAML. An empty secret stays empty, so that one sees that there is none.
func (s Secret) MarshalText() ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	return []byte(redacted), nil
}

// UnmarshalText takes the secret as it stands.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}
