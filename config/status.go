package config

import (
	"fmt"
	"strconv"
	"strings"
)

// StatusRange is a range of HTTP status codes, written as one ("429"), a class ("5xx") or a range ("500-504").
type StatusRange struct {
	// Low and High are the first and the last status of the range, from 100 to 599.
	Low, High int
}

// The statuses that an answer may have (RFC 9110 section 15).
const (
	firstStatus = 100
	lastStatus  = 599
)

// Contains says whether the status lies in the range.
func (r StatusRange) Contains(status int) bool { return r.Low <= status && status <= r.High }

// String is the range as it is written.
func (r StatusRange) String() string {
	switch {
	case r.Low == r.High:
		return strconv.Itoa(r.Low)
	case r.Low%100 == 0 && r.High == r.Low+99:
		return strconv.Itoa(r.Low/100) + "xx"
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

// MarshalText is String.
func (r StatusRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what String writes.
func (r *StatusRange) UnmarshalText(text []byte) error {
	low, high, isRange := strings.Cut(string(text), "-")
	if class, ok := strings.CutSuffix(low, "xx"); ok && !isRange {
		low, high = class+"00", class+"99"
	} else if !isRange {
		high = low
	}
	first, last := statusOf(low), statusOf(high)
	if first == 0 || last < first {
		return fmt.Errorf(`expected a status such as "429", "5xx" or "500-504", got %q`, shorten(string(text)))
	}
	r.Low, r.High = first, last
	return nil
}

// statusOf reads one status; 0 for what is none.
func statusOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || len(text) != 3 || !only(text, numerals) || n < firstStatus || n > lastStatus {
		return 0
	}
	return n
}
