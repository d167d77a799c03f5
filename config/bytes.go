package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteUnit is one unit of sizes.
type byteUnit struct {
	name string
	size Bytes
}

// byteUnits lists the units. String takes the first that divides a size: the binary ones come first, the larger before
// the smaller, and each with its full name before its short one.
func byteUnits() []byteUnit {
	return []byteUnit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"KB", 1e3},
		{"Ti", 1 << 40},
		{"Gi", 1 << 30},
		{"Mi", 1 << 20},
		{"Ki", 1 << 10},
		{"B", 1},
		{"", 1},
	}
}

// ParseBytes reads a whole number with a unit (KiB, MiB, GiB, TiB, also as Ki, Mi, Gi, Ti; kB, MB, GB, TB; B) or a bare
// number of bytes.
func ParseBytes(text string) (Bytes, error) {
	unit := strings.TrimLeft(text, "0123456789")
	number := text[:len(text)-len(unit)]
	unit = strings.TrimLeft(unit, " ")
	for _, u := range byteUnits() {
		if unit != u.name || number == "" {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || Bytes(n) > math.MaxInt64/u.size {
			return 0, fmt.Errorf("the size %q is too large", text)
		}
		return Bytes(n) * u.size, nil
	}
	return 0, fmt.Errorf("expected a size such as 64KiB, 10MB or a number of bytes, got %q", text)
}

// String writes the size in the largest unit that it is a whole number of.
func (b Bytes) String() string {
	for _, u := range byteUnits() {
		if b != 0 && u.size > 1 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes what String writes, for JSON and YAML.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}
