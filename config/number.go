package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Number is a plain decimal number such as 250, 0.5 or -3; with "%" it is a hundredth: "1%" is 0.01.
type Number float64

// maxDigits bounds how long a number is written; more digits than this no float64 tells apart.
const maxDigits = 30

// ParseNumber reads a decimal number without an exponent, with an optional sign before it and an optional "%" behind it.
func ParseNumber(text string) (Number, error) {
	digitsOnly, percent := strings.CutSuffix(text, "%")
	whole, decimals, point := strings.Cut(strings.TrimPrefix(digitsOnly, "-"), ".")
	if !digits(whole) || point && !digits(decimals) || len(text) > maxDigits {
		return 0, fmt.Errorf("expected a number such as 250, 0.5 or 2%%, got %q", shorten(text))
	}
	n, err := strconv.ParseFloat(digitsOnly, 64)
	if err != nil {
		return 0, fmt.Errorf("read the number %q: %w", text, err)
	}
	if percent {
		n /= 100
	}
	return Number(n), nil
}

// String writes the number without an exponent.
func (n Number) String() string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }

// MarshalText writes what String writes, for JSON and YAML.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads what ParseNumber reads.
func (n *Number) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNumber(string(text))
	return err
}

// Limit is a Number that may be missing. Empty text is none.
type Limit struct {
	// Value is the number, and means nothing unless Set.
	Value Number
	// Set says that there is one.
	Set bool
}

// String writes the number, or nothing.
func (l Limit) String() string {
	if !l.Set {
		return ""
	}
	return l.Value.String()
}

// MarshalText writes what String writes, for JSON and YAML.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseNumber reads, and nothing as none.
func (l *Limit) UnmarshalText(text []byte) error {
	*l = Limit{}
	if len(text) == 0 {
		return nil
	}
	n, err := ParseNumber(string(text))
	if err == nil {
		*l = Limit{Value: n, Set: true}
	}
	return err
}
